"""What every model is made of: configurations, layers, and the base class."""
