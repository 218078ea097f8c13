# Listens on a port and prints it; on a line of input it executes a program that inherits the socket and accepts once.
import os
import socket
import subprocess
import sys

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.readline()
os.set_inheritable(listener.fileno(), True)
accept = "import socket, sys; socket.socket(fileno=int(sys.argv[1])).accept()"
subprocess.run([sys.executable, "-c", accept, str(listener.fileno())], close_fds=False, check=True)
