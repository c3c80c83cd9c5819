"""What the tests of the whole program stand on: instances, clients, certificates, servers."""
