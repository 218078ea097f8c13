# Runs a command in a pseudo terminal of COLUMNS x LINES: stdin is typed there, its output goes to stdout. The first line
# of stderr is the command's pid, the last one JSON: its exit code, and whether the terminal's settings were restored.
# SIGUSR1 resizes the terminal to 60 x 12.
import fcntl, json, os, pty, select, signal, struct, sys, termios

columns, lines, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
terminal, inner = pty.openpty()


def resize(columns, lines):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


resize(columns, lines)
before = termios.tcgetattr(inner)
pid = os.fork()
if pid == 0:
    os.close(terminal)
    os.login_tty(inner)
    os.execvp(command[0], command)


def on_resize(*_):
    resize(60, 12)


signal.signal(signal.SIGUSR1, on_resize)
print(pid, file=sys.stderr, flush=True)
typed, ended = True, 0
while not ended:
    readable, _, _ = select.select([terminal] + ([0] if typed else []), [], [], 0.1)
    if terminal in readable:
        os.write(1, os.read(terminal, 65536))
    if 0 in readable:
        text = os.read(0, 4096)
        typed = len(text) > 0
        os.write(terminal, text)
    ended, status = os.waitpid(pid, os.WNOHANG)
while select.select([terminal], [], [], 0.1)[0]:
    os.write(1, os.read(terminal, 65536))
restored = termios.tcgetattr(inner) == before
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "restored": restored}), file=sys.stderr)
