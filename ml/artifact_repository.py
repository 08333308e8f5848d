"""Objects of the store as MLflow's artifacts: `kyalo://models/NAME/VERSION` is the folder of a registered model."""

import posixpath
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from warehouse.settings import get_settings
from warehouse.stores import ObjectStore, open_store, type_of


class KyaloArtifactRepository(ArtifactRepository):
    """What MLflow reads and writes by the entry point `ml.tracking:open_artifacts`.

    Nothing is overwritten or removed: what a model was registered with stays.

    Args:
        artifact_uri: `kyalo://` and the key of a folder.
        tracking_uri: MLflow hands it on; the store needs it not.
        registry_uri: likewise.
        store: where the objects are; the store of the process's settings when omitted.
    """

    def __init__(
        self,
        artifact_uri: str,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
        store: ObjectStore | None = None,
    ) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        address = urlsplit(artifact_uri)
        self.folder = f"{address.netloc}{address.path}".strip("/")
        self.store = store or open_store(get_settings())

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Keep a file under its own name, in the folder or in one below it."""
        key = self._key(artifact_path, Path(local_file).name)
        if self.store.head(key):
            raise MlflowException(f"{key} is there already, and artifacts stay as they are.")
        with Path(local_file).open("rb") as source:
            self.store.put(key, source, type_of(key))

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Keep the files of a directory, and of those below it."""
        for path in sorted(Path(local_dir).rglob("*")):
            if path.is_file():
                below = path.parent.relative_to(local_dir).as_posix()
                self.log_artifact(str(path), posixpath.normpath(posixpath.join(artifact_path or "", below)))

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """The files and folders of a folder, by their path from the top; none for a file."""
        prefix = f"{self._key(path)}/"
        files: dict[str, FileInfo] = {}
        for found in self.store.list(prefix):
            name, _, rest = found.key.removeprefix(prefix).partition("/")
            place = posixpath.join(path or "", name)
            files[place] = FileInfo(place, bool(rest), None if rest else found.size_bytes)
        return sorted(files.values(), key=lambda file: str(file.path))

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Refuse: `mlflow gc` must not take away what a prediction was made by."""
        raise MlflowException(f"{self._key(artifact_path)} stays: predictions refer to the models of Kyalo.")

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        with self.store.get(self._key(remote_file_path)) as source, Path(local_path).open("wb") as target:
            shutil.copyfileobj(source, target)

    def _key(self, *parts: str | None) -> str:
        return posixpath.normpath(posixpath.join(self.folder, *filter(None, parts)))
