"""What Kyalo is told from outside, read once from the environment (or `.env`) and never changed."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.weak_keys import weakness_of_encryption_key, weakness_of_key, weakness_of_password

PROJECT_ROOT = Path(__file__).resolve().parents[1]
SECRETS_FOLDER = Path("/run/secrets")  # where Docker and Kubernetes put files with secrets, each named as its setting
Provider = Literal["local", "aws", "azure"]
VersionOfTls = Literal["1.2", "1.3"]


class Settings(BaseSettings):
    """Every setting, its default and its meaning; the environment variable is the upper-case name."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        secrets_dir=SECRETS_FOLDER if SECRETS_FOLDER.is_dir() else None,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    kyalo_home: Path = Field(Path(".kyalo"), description="Data folder: embedded PostgreSQL, object store, logs.")
    kyalo_environment: Literal["development", "production"] | None = Field(
        None,
        description="In production no key is made up: SECRET_KEY, ENCRYPTION_KEY and HASH_KEY must be set; default:"
        " production where DB_HOST is set.",
    )

    db_host: str | None = Field(None, description="PostgreSQL server; without it Kyalo runs its own.")
    db_port: int = Field(5432, ge=1, le=65535, description="Port of the server at DB_HOST.")
    db_name: str = Field("kyalo", min_length=1, description="Database.")
    db_user: str = Field("kyalo", min_length=1, description="Role that connects.")
    db_password: SecretStr = Field(SecretStr(""), description="Its password.")
    db_sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = Field(
        "prefer", description="Whether connections to DB_HOST are encrypted, and what of its certificate is checked."
    )
    db_sslrootcert: str | None = Field(
        None, description="File of the authorities that may vouch for DB_HOST, or system for this machine's."
    )
    db_sslcert: Path | None = Field(None, description="Certificate that is shown to DB_HOST.")
    db_sslkey: Path | None = Field(None, description="Its key.")
    db_tls_minimum_version: VersionOfTls = Field("1.2", description="Oldest TLS that is spoken with DB_HOST.")

    storage_provider: Provider = Field("local", description="Where originals and models are kept.")
    storage_path: Path | None = Field(None, description="Folder of the local store; default KYALO_HOME/store.")
    storage_secondary: Provider | None = Field(None, description="A second store, for a copy of every original.")
    storage_secondary_path: Path | None = Field(None, description="Folder of the second store, when it is local.")
    aws_access_key_id: str | None = Field(None, description="S3 credentials; the machine's role when omitted.")
    aws_secret_access_key: SecretStr | None = Field(None, description="Their secret.")
    aws_session_token: SecretStr | None = Field(None, description="Their token, when they are temporary.")
    aws_s3_bucket: str | None = Field(None, description="Bucket of the store when its provider is aws.")
    aws_region: str = Field("us-east-1", description="Region of the bucket.")
    s3_endpoint_url: str | None = Field(None, description="An S3-compatible server other than Amazon's.")
    s3_ca_bundle: Path | None = Field(
        None, description="File of the authorities that may vouch for the S3 server; else those that are well known."
    )
    azure_storage_connection_string: SecretStr | None = Field(None, description="Account of the azure store.")
    azure_container: str | None = Field(None, description="Container of the azure store.")
    azure_ca_bundle: Path | None = Field(
        None, description="File of the authorities that may vouch for the azure store; else those that are well known."
    )

    api_host: str = Field("127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(8000, ge=0, le=65535, description="Port of the API.")
    api_tls_certificate: Path | None = Field(
        None,
        description="Certificate, with those that vouch for it, that API and dashboard show; with it they speak https.",
    )
    api_tls_key: Path | None = Field(None, description="Its key.")
    api_tls_minimum_version: VersionOfTls = Field("1.2", description="Oldest TLS that API and dashboard speak.")
    api_ca_bundle: Path | None = Field(
        None, description="File of the authorities that may vouch for the API towards the dashboard."
    )
    api_url: str | None = Field(None, description="Where the dashboard finds the API; API_HOST and API_PORT else.")
    dashboard_host: str = Field("127.0.0.1", description="Address the dashboard listens on.")
    dashboard_port: int = Field(8001, ge=0, le=65535, description="Port of the dashboard.")
    dashboard_url: str | None = Field(
        None, description="Where people find the dashboard; DASHBOARD_HOST and DASHBOARD_PORT else."
    )
    dashboard_session_seconds: int = Field(
        8 * 3600, ge=60, description="Seconds that somebody stays signed in to the dashboard."
    )
    max_file_bytes: int = Field(2 * 1024**3, gt=0, description="Largest file that an upload may hold.")
    max_survey_bytes: int = Field(1024**2, gt=0, description="Largest single survey.")

    max_batch_bytes: int = Field(64 * 1024**2, gt=0, description="Largest batch of surveys in one request.")

    secret_key: SecretStr | None = Field(
        None, description="Signs access tokens; in development one is made and kept in KYALO_HOME/secret_key."
    )
    secret_key_id: str = Field("main", pattern=r"^[\w.-]+$", description="Name of SECRET_KEY; changes with it.")
    secret_keys_retired: SecretStr = Field(
        SecretStr(""), description="Earlier keys whose tokens still hold: name:key,name:key."
    )
    encryption_key: SecretStr | None = Field(
        None,
        description="Fernet keys that encrypt what is personal, the newest first, parted by commas; in development one"
        " is made and kept in KYALO_HOME/encryption_keys.",
    )
    hash_key: SecretStr | None = Field(
        None,
        description="Makes the hashes by which personal answers are joined, and never changes; in development one is"
        " made and kept in KYALO_HOME/hash_key.",
    )
    jwt_expiration: int = Field(3600, ge=1, description="Seconds that an access token holds.")
    rate_limit_per_minute: int = Field(1200, ge=0, description="Requests of one client in a minute; 0 for no limit.")
    login_limit_per_minute: int = Field(10, ge=1, description="Failed sign-ins in a minute from one address.")
    trusted_proxies: str = Field(
        "", description="Addresses or networks, parted by commas, whose X-Forwarded-For and -Proto are believed."
    )

    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="How log lines are written; auto: console on a terminal, else json."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least that a log line must matter to be written."
    )

    health_check_interval: int = Field(
        300, ge=10, le=600, description="Seconds between two measurements of processors, memory and disk."
    )
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="Whoever reads /metrics sends it; else only private networks may."
    )

    export_encrypted_columns: str = Field(
        "",
        description="Columns that are encrypted in exported tables, parted by commas, such as household_id; `kyalo"
        " storage table` opens them.",
    )

    archive_after_days: int = Field(
        90, ge=0, description="Days after which originals move to archive/, compressed; 0 for never."
    )
    raw_retention_days: int = Field(
        0, ge=0, description="Days after which whole months of raw rows leave the database for archive/; 0 for never."
    )
    personal_retention_days: int = Field(
        0,
        ge=0,
        description="Days after which personal answers are deleted, their stand-ins stay; 0 for never. Originals hold"
        " them as well.",
    )
    original_retention_days: int = Field(
        0, ge=0, description="Days after which originals are deleted for good, once all is staged; 0 for never."
    )
    attachment_retention_days: int = Field(
        0, ge=0, description="Days after which photographs and other attachments are deleted for good; 0 for never."
    )
    log_retention_days: int = Field(90, ge=0, description="Days that the logs of runs are kept; 0 for ever.")
    metrics_retention_days: int = Field(
        400, ge=0, description="Days that measurements of machines and results of dbt are kept; 0 for ever."
    )
    request_retention_days: int = Field(
        90, ge=0, description="Days that predictions asked for over the API are kept; 0 for ever."
    )
    prediction_retention_days: int = Field(
        730, ge=0, description="Days that predictions are kept after another took their place; 0 for ever."
    )

    worker_interval_seconds: float = Field(2.0, gt=0, description="Longest pause between looks for jobs.")
    worker_concurrency: int = Field(2, ge=1, le=16, description="Jobs that a worker does at a time.")
    worker_retries: int = Field(
        20, ge=0, description="How often a job is tried again after a transient error: after 2, 4, 8 ... 600 seconds."
    )
    shadow_challengers: bool = Field(
        False, description="Let challengers score beside the champions, in ml.predictions as model_role challenger."
    )
    step_timeout_seconds: float = Field(
        7200, gt=0, description="Seconds that a step of a run may take before it is ended."
    )
    pipeline_schedule: str = Field("0 2 * * *", description="When the pipeline is due (cron).")
    quality_check_schedule: str = Field("0 1 * * *", description="When the check of the data's quality is due (cron).")
    performance_check_schedule: str = Field("0 3 * * *", description="When the check of the models is due (cron).")
    archive_schedule: str = Field("0 5 * * 0", description="When archiving is due (cron; 0 is Sunday).")
    timezone: str = Field("Africa/Kampala", description="Time zone of the schedules.")

    alert_email: str = Field("", description="Who is told of alerts by e-mail; several are parted by commas.")
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server, smtp://NAME:PASSWORD@HOST:PORT?from=ADDRESS, smtps:// with TLS; else this machine's.",
    )
    alert_urls: SecretStr = Field(
        SecretStr(""),
        description="Others who are told, as apprise writes them (slack://..., jsons://...), parted by commas.",
    )
    alert_repeat_hours: str = Field(
        "critical=1,error=4,warning=24",
        pattern=r"^((info|warning|error|critical)=\d+(\.\d+)?(,|$))*$",
        description="After how many hours an open alert is told again; of a severity not named it is told once.",
    )
    late_run_hours: int = Field(26, ge=1, description="Hours without a successful run that raise an alert.")
    backlog_minutes: int = Field(60, ge=1, description="Minutes that an upload may wait to be landed.")
    alert_failure_rate: float = Field(0.05, ge=0, le=1, description="Share of the last runs that may fail.")
    alert_quality: float = Field(0.95, ge=0, le=1, description="Quality score that the newest surveys must reach.")
    alert_accuracy: float = Field(
        0.9, ge=0, le=1, description="Share of its accuracy at training below which a champion raises an alert."
    )
    alert_cpu: float = Field(0.85, ge=0, le=1, description="Share of the processors that may be busy for long.")
    alert_memory: float = Field(0.9, ge=0, le=1, description="Share of the memory that may be taken.")
    alert_disk: float = Field(0.85, ge=0, le=1, description="Share of the disk that may be taken.")
    alert_response_seconds: float = Field(10.0, gt=0, description="Seconds that an answer may take.")

    min_new_samples: int = Field(
        250, ge=1, description="New incomes since the newest training that any challenger waits for."
    )
    min_new_share: float = Field(
        0.1, ge=0, description="Volume alone makes a challenger where they are such a share of the training rows."
    )
    min_new_villages: int = Field(15, ge=0, description="And where they come from so many new villages.")
    drift_checks: int = Field(1, ge=1, description="Checks in a row that find drift before it makes a challenger.")
    performance_threshold: float = Field(
        0.93, ge=0, le=1, description="Share of its accuracy at training that a champion must keep."
    )
    min_district_villages: int = Field(
        10, ge=1, description="Villages with incomes from which on a district that was hardly known makes a challenger."
    )
    retrain_after_days: int = Field(365, ge=1, description="Age of a training that makes a challenger.")

    @model_validator(mode="after")
    def _password_comes_with_host(self) -> Self:
        if self.db_host and not self.db_password.get_secret_value():
            raise ValueError("DB_HOST is set but DB_PASSWORD is not: set both, or neither to use the embedded server")
        return self

    @field_validator("secret_key", "hash_key")
    @classmethod
    def _key_is_a_secret(cls, key: SecretStr | None) -> SecretStr | None:
        weakness = weakness_of_key(key.get_secret_value()) if key else None
        if weakness:
            raise ValueError(f"it {weakness}: `openssl rand -hex 32` makes a good one")
        return key

    @field_validator("encryption_key")
    @classmethod
    def _encryption_keys_are_secrets(cls, keys: SecretStr | None) -> SecretStr | None:
        listed = keys.get_secret_value().split(",") if keys else []
        weakness = next(filter(None, (weakness_of_encryption_key(key.strip()) for key in listed)), None)
        if weakness:
            raise ValueError(f"one of them {weakness}: `openssl rand -base64 32 | tr +/ -_` makes a good one")
        return keys

    @model_validator(mode="after")
    def _password_is_a_secret(self) -> Self:
        weakness = weakness_of_password(self.db_password.get_secret_value()) if self.is_production else None
        if weakness:
            raise ValueError(f"DB_PASSWORD {weakness}: `openssl rand -hex 32` makes a good one")
        return self

    @model_validator(mode="after")
    def _certificate_comes_with_key(self) -> Self:
        for certificate, key in (("api_tls_certificate", "api_tls_key"), ("db_sslcert", "db_sslkey")):
            if bool(getattr(self, certificate)) != bool(getattr(self, key)):
                raise ValueError(f"{certificate.upper()} and {key.upper()} come together: set both, or neither")
        return self

    @model_validator(mode="after")
    def _second_store_is_another(self) -> Self:
        is_same = self.storage_secondary == self.storage_provider
        if is_same and (self.storage_provider != "local" or self.second_store_folder == self.store_folder):
            raise ValueError("STORAGE_SECONDARY names the store itself: choose another provider or another folder")
        return self

    @property
    def home(self) -> Path:
        """The data folder, as an absolute path."""
        return _resolved(self.kyalo_home.expanduser().absolute())

    @property
    def store_folder(self) -> Path:
        """Folder of the local object store, as an absolute path."""
        return (self.storage_path or self.home / "store").expanduser().resolve()

    @property
    def second_store_folder(self) -> Path | None:
        """Folder of a local second store, as an absolute path."""
        return self.storage_secondary_path.expanduser().resolve() if self.storage_secondary_path else None

    @property
    def project_root(self) -> Path:
        """Folder that holds `dbt_project/` and `profiles/`."""
        return PROJECT_ROOT

    @property
    def dbt_project_dir(self) -> Path:
        """The dbt project."""
        return PROJECT_ROOT / "dbt_project"

    @property
    def is_production(self) -> bool:
        """Whether keys must be set, and none is made up."""
        return (self.kyalo_environment or ("production" if self.db_host else "development")) == "production"

    @property
    def is_embedded(self) -> bool:
        """Whether Kyalo runs its own PostgreSQL."""
        return self.db_host is None


@lru_cache(16)
def _resolved(path: Path) -> Path:
    """A path without links. To find them asks the disk for each part, and the home is asked for with every survey."""
    return path.resolve()


@cache
def get_settings() -> Settings:
    """The process's settings; only entry points (command line, application factory) call this."""
    return Settings()
