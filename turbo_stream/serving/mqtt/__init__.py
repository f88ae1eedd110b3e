"""What was said to the device, for everybody who reads the house's MQTT broker."""
