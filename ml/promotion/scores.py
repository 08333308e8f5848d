"""What the evaluations of registered models found, as `ml.evaluations` keeps it."""

import psycopg
from psycopg.rows import class_row

from ml.catalogue import TrainedModel
from ml.evaluation import Evaluation, Measure
from warehouse.database import queries

STATEMENTS = queries("promotion")


def read_evaluation(connection: psycopg.Connection, model: TrainedModel) -> Evaluation:
    """All measures of a model."""
    with connection.cursor(row_factory=class_row(Measure)) as cursor:
        values = {"model_name": model.model_name, "model_version": model.model_version}
        return Evaluation(tuple(cursor.execute(STATEMENTS["select_evaluations"], values)))
