"""OpenRosa: what ODK Collect and KoboCollect speak, as a door to the same landing code."""
