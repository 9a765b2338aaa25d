"""A trained model gives colors to gray photographs."""
