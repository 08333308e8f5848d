# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv
COPY locks/ locks/
RUN /venv/bin/pip install --require-hashes -r locks/bootstrap.txt \
    && VIRTUAL_ENV=/venv /venv/bin/uv pip sync --no-cache --require-hashes locks/runtime.txt
COPY pyproject.toml README.md ./
COPY warehouse/ warehouse/
COPY ingest_api/ ingest_api/
COPY ml/ ml/
COPY orchestration/ orchestration/
COPY dbt_project/ dbt_project/
COPY profiles/ profiles/
RUN VIRTUAL_ENV=/venv /venv/bin/uv pip install --no-cache --no-deps --no-build-isolation --editable .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data kyalo
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH KYALO_HOME=/data PYTHONUNBUFFERED=1 API_HOST=0.0.0.0
WORKDIR /app
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["kyalo"]
CMD ["api"]
