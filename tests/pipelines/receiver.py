"""Takes what the gate tells, as others would read it. Prints its port first.

receiver.py DIR HOW: HOW is `take` (202), `hang` (never answers), `reset`, `fail` (500), `unread` (reads nothing).
"""

import pathlib
import socket
import struct
import sys
import threading

folder, how = pathlib.Path(sys.argv[1]), sys.argv[2]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
held = []


def whole(connection):
    read = b""
    while True:
        head, found, body = read.partition(b"\r\n\r\n")
        length = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if found and len(body) >= (length or [0])[0]:
            return read
        piece = connection.recv(65536)
        if not piece:
            return read
        read += piece


def serve(connection, number):
    if how == "unread":
        held.append(connection)
        return
    request = whole(connection)
    (folder / f"{number}.request").write_bytes(request)
    if how == "hang":
        held.append(connection)
        return
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        code = b"202 Accepted" if how == "take" else b"500 No"
        connection.sendall(b"HTTP/1.1 " + code + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    connection.close()


for number in range(1000):
    threading.Thread(target=serve, args=(listener.accept()[0], number), daemon=True).start()
