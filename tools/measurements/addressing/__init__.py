"""False accepts an hour and missed calls, for each way a device is addressed."""
