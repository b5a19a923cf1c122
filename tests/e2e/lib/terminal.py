"""Commands as a document shows them, in blocks ```console, and a terminal that types them.

Lines of a block that begin with "$ " are commands, each with what its \\ or <<END go on with; behind each stands what it
says, where a line "..." stands for any others; nothing there is for a command of which only is told that it succeeds.
What differs from run to run is not compared: see VARIES. A block in a
comment of the document is typed as well, and seen by nobody. A comment before a block, or the first line of such a one,
says how else it is typed; there may be several, with "; " between:

    <!-- Ctrl-C: NAME -->            first the one that stays whose program is NAME is ended, as by that key
    <!-- stays until: TEXT -->       it stays, in a terminal of its own, and says TEXT when it is ready; what it says is not
                                     compared
    <!-- typed: TEXT -->             what the user types when it asks for a password
    <!-- meanwhile: COMMAND -->      it says what is shown while COMMAND (the rest of the comment) runs, and is ended by Ctrl-C
"""
import os
import pty
import re
import select
import signal
import subprocess
import time

from daemons import wait_for

READY_S, COMMAND_S, PROMPTS = 60, 60, (b"Password: ", b"Again: ")
BLOCK = re.compile(r"(?:^<!-- (?P<mark>[^\n]*?)(?: -->)?\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
# Times, durations, ids, hashes, passwords, ports that the kernel chose, versions.
VARIES = [r"0x[0-9a-f]{8,}", r"(?<=\"cseq\":)\d+", r"\d{4}-\d\d-\d\dT[\d:.]+Z", r"\d{4}-\d\d-\d\d",
          r"\b[0-9A-F]{2}(?::[0-9A-F]{2}){19,}", r"\b[0-9A-Fa-f]{32,}\b",
          r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{16,}(?![\w-])", r"(?=[\w-]*[a-z])(?=[\w-]*[A-Z][\w-]*[A-Z])[\w-]{16,}(?![\w-])",
          r"(?<=[^\w-])[\w-]{24}(?![\w-])", r":[3-6]\d{4}\b", r"\d+\.\d+", r"\d+ (?:ms|s)\b",
          r"(?<= \d{3})\s+\d+$", # milliseconds behind a status
          r"\b3[56]\d\d\b"]


def comparable(line):
    for pattern in VARIES:
        line = re.sub(pattern, "~", line)
    return " ".join(line.split())


def says(said, shown):
    """Whether what was said is what is shown, where "..." is any lines; JSON may be shown in several."""
    if shown and shown[0].startswith(("{", "[")):
        said, shown = ["".join(said)], ["".join(shown)]
    said, shown = [[comparable(x) for x in lines] for lines in (said, shown)]
    pattern = "".join("(?:.*\n)*" if line == "..." else re.escape(line) + "\n" for line in shown)
    return re.fullmatch(pattern, "".join(line + "\n" for line in said)) is not None


def commands(text):
    """The commands of a block, each with the lines that it says."""
    found, lines = [], text.splitlines()
    while lines:
        line = lines.pop(0)
        if not line.startswith("$ "):
            found[-1][1].append(line)
            continue
        command = [line[2:]]
        end = re.search(r"<<'?(\w+)", command[0])
        while command[-1].endswith("\\") or (end and command[-1] != end[1]):
            command.append(lines.pop(0))
        found.append(("\n".join(command), []))
    return found


def marks(mark):
    """What a comment says, by its name."""
    found = {}
    while mark:
        name, _, rest = mark.partition(": ")
        value, _, mark = (rest, "", "") if name == "meanwhile" else rest.partition("; ")
        found[name] = value
    return found


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


class Terminal:
    """One shell, whose folder and variables each command finds as the one before left them. $SOURCES are the sources."""

    def __init__(self, top, work):
        self.top, self.folder, self.work, self.staying, self.terminals = top, top, work, [], 0
        self.env = dict(os.environ, HOME=os.path.join(work, "home"), LC_ALL="C.UTF-8", SOURCES=top)
        os.makedirs(self.env["HOME"])

    def run(self, command, typed=None):
        left = os.path.join(self.work, "left")
        script = f"{command}\nstatus=$?\n{{ pwd; env -0; }} >{left}\nexit $status\n"
        said, status = self._at_a_terminal(script, typed) if typed else self._piped(script)
        self.folder, _, env = read(left).partition("\n")
        self.env = dict(x.split("=", 1) for x in env.split("\0") if x)
        return said, status

    def _piped(self, script):
        log = os.path.join(self.work, "said")
        with open(log, "wb") as f: # what it leaves running may keep it
            done = subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=f,
                                  stderr=f, timeout=COMMAND_S, check=False)
        return read(log), done.returncode

    def _at_a_terminal(self, script, typed):
        """What is asked there is no part of what is said."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe("bash", ["bash", "-c", script], self.env)
        said, end = b"", time.monotonic() + COMMAND_S
        while select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            try:
                said += os.read(fd, 65536)
            except OSError: # it is over
                break
            if said.endswith(PROMPTS):
                said = said.rpartition(b"\n")[0]
                os.write(fd, typed.encode() + b"\n")
        os.close(fd)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return said.decode().replace("\r\n", "\n").lstrip("\n"), status

    def stay(self, command, folder=None):
        """In a terminal of its own, where the sources are; what it says is in the file that is returned."""
        self.terminals += 1
        log = os.path.join(self.work, f"stays-{self.terminals}.log")
        with open(log, "wb") as f:
            process = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=folder or self.top, env=self.env,
                                       stdin=subprocess.DEVNULL, stdout=f, stderr=f)
        self.staying.append((command, process))
        return log, process

    def stay_until(self, command, text):
        log, process = self.stay(command)
        try:
            wait_for(f"{command}: {text}", lambda: text in read(log) or process.poll() is not None, READY_S)
            assert text in read(log), f"{command} ended with {process.returncode}"
        except AssertionError:
            print(read(log))
            raise

    def while_it_stays(self, command, other, shown):
        """What the command says while the other one runs."""
        log, process = self.stay(command, self.folder)
        time.sleep(1.5) # until it listens: authds look once a second at what is asked for
        self.run(other)
        end = time.monotonic() + 5
        while time.monotonic() < end and not says(read(log).splitlines(), shown) and process.poll() is None:
            time.sleep(0.1)
        self.staying.remove((command, process))
        process.send_signal(signal.SIGINT)
        process.wait(20)
        return read(log)

    def end(self, name):
        one = next(x for x in self.staying if x[0].split()[0] == name)
        self.staying.remove(one)
        one[1].send_signal(signal.SIGINT)
        one[1].wait(20)

    def close(self):
        for command, _ in self.staying[::-1]:
            self.end(command.split()[0])
