"""Commands that run the platform and look after it: the demo, the services, status and doctor."""
