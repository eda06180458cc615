"""Every durable write, every lock, every safe read."""
