"""The addresses of the service, a module a subject."""
