"""The scripted provider, a raw HTTP client and the process under test: what the flow and SDK tests are made of."""
