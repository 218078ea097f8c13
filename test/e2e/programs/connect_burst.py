# Starts non-blocking connects to COUNT addresses of 203.0.113.0/24 (TEST-NET-3), 20 a second.
# usage: connect_burst.py COUNT   (in a network namespace, so that no packet leaves the machine)
import socket
import sys
import time

sockets = []
for i in range(int(sys.argv[1])):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setblocking(False)
    s.connect_ex((f"203.0.113.{i % 250 + 1}", 443))
    sockets.append(s)
    time.sleep(0.05)
