"""A trained model as MLflow serves it."""
