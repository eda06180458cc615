"""Checkpoint commits are signed where git signs, by the user's own program, in bounded time, or there is no commit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import settings_scenes
from deduplication.checkpoint import make as checkpoint
from deduplication.checkpoint import signing
from deduplication.git.plumbing import Git, GitFailed
from deduplication.git.repository import open_repository
from scratch_repository import Scratch

README = "# Tides\n\nA clock.\n"
SIGNATURE = """\
#!/bin/sh
# A stand-in for gpg: says that it signed, and gives something in armour.
echo "$@" >> "$0.calls"
cat > "$0.signed"
echo '[GNUPG:] SIG_CREATED D 1 8 00 1 X' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nc2lnbmVk\\n-----END PGP SIGNATURE-----\\n'
"""


@pytest.fixture
def scratch(tmp_path):
    """A repository with a README and a staged file."""
    made = Scratch(tmp_path / "project")
    made.commit("README.md", README)
    made.write("staged.txt")
    made.git("add", "staged.txt")
    return made


@pytest.fixture
def stand_in(tmp_path):
    """A program that signs."""
    path = tmp_path / "stand-in"
    path.write_text(SIGNATURE)
    path.chmod(0o755)
    return path


def users_own(*settings):
    """Put settings into the user's own configuration."""
    for key, value in settings:
        subprocess.run(["git", "config", "--global", key, str(value)], check=True)


def signed(scratch):
    """Whether HEAD has a signature."""
    return "\ngpgsig " in scratch.git("cat-file", "commit", "HEAD")


def test_where_git_signs_the_checkpoint_is_signed(scratch, stand_in):
    """With the user's program and key, and what was signed is the commit."""
    users_own(("commit.gpgSign", "true"), ("gpg.program", stand_in), ("user.signingKey", "ADA"))
    made = checkpoint.create(scratch.project, "x")
    assert (made.commit, made.note) == (scratch.git("rev-parse", "HEAD"), "")
    assert signed(scratch)
    assert "ADA" in Path(f"{stand_in}.calls").read_text()
    assert "checkpoint: x" in Path(f"{stand_in}.signed").read_text()
    assert scratch.status() == ["A  staged.txt"]


@pytest.mark.parametrize("configured", ["nothing", "false", "setting"])
def test_where_git_does_not_sign_nothing_is_run(scratch, stand_in, configured):
    """A program alone is no wish; ``commit_signing`` says no for checkpoints."""
    users_own(("gpg.program", stand_in))
    if configured != "nothing":
        users_own(("commit.gpgSign", "true" if configured == "setting" else "no"))
    if configured == "setting":
        settings_scenes.approved(scratch.root, commit_signing=False)
    assert checkpoint.create(scratch.project, "x").commit
    assert not signed(scratch)
    assert not Path(f"{stand_in}.calls").exists()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
@pytest.mark.parametrize("where", ["--global", "--local"])
def test_a_signature_of_ssh_can_be_verified(scratch, tmp_path, where):
    """The real program, a real key, whichever configuration says so; git itself finds the signature good."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"test@example.invalid {key.with_suffix('.pub').read_text()}")
    for name, value in (
        *(("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", key)),
        ("gpg.ssh.allowedSignersFile", allowed),
    ):
        scratch.git("config", where, name, str(value))
    assert checkpoint.create(scratch.project, "x").note == ""
    scratch.git("verify-commit", "HEAD")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("cat > /dev/null; echo 'no secret key' >&2; exit 2", "it could not be signed: git commit-tree: "),
        ("sleep 600", "it could not be signed: git commit-tree took longer than 0.5 s"),
    ],
    ids=["fails", "hangs"],
)
def test_a_signer_that_fails_or_hangs_leaves_everything_as_it_was(scratch, monkeypatch, script, said):
    """No commit, no line in the README, nothing of ours in the index; the note says why, the document is there."""
    monkeypatch.setattr(signing, "TIMEOUT", 0.5)
    users_own(("commit.gpgSign", "true"), ("gpg.program", scratch.script("gpg", script)))
    head, index = scratch.git("rev-parse", "HEAD"), scratch.staged()
    made = checkpoint.create(scratch.project, "x")
    assert (made.commit, made.readme) == (None, None)
    assert made.note.startswith(f"not committed: {said}")
    assert made.document.is_file()
    assert (scratch.git("rev-parse", "HEAD"), scratch.staged()) == (head, index)
    assert (scratch.root / "README.md").read_text() == README
    assert scratch.status() == ["A  staged.txt", f"?? {scratch.project.relative(made.document)}"]


@pytest.mark.parametrize(
    "settings",
    [
        [("gpg.program", "{}")],
        [("gpg.openpgp.program", "{}")],
        [("gpg.format", "ssh"), ("gpg.ssh.program", "{}"), ("user.signingKey", "key::ssh-ed25519 AAAA")],
        [("gpg.format", "ssh"), ("gpg.ssh.defaultKeyCommand", "{}")],
        [("gpg.format", "x509"), ("gpg.x509.program", "{}")],
    ],
    ids=["gpg", "openpgp", "ssh", "key command", "x509"],
)
def test_a_program_that_the_repository_names_is_never_run(scratch, tmp_path, settings):
    """The user's own or the usual one is taken in its place; where that cannot sign there is no commit."""
    proof = tmp_path / "ran"
    program = scratch.script("payload", f"touch {proof}; exit 1")
    users_own(("gpg.program", tmp_path / "of the user"))
    scratch.git("config", "commit.gpgSign", "true")
    for key, value in settings:
        scratch.git("config", key, value.format(program))
    made = checkpoint.create(scratch.project, "x")
    assert made.commit is None
    assert "signed" in made.note
    assert not proof.exists()


def test_the_payload_bites(scratch, tmp_path):
    """Proof of the test above: plain git runs it."""
    proof = tmp_path / "ran"
    scratch.git("config", "gpg.program", scratch.script("payload", f"touch {proof}; exit 1"))
    scratch.git("commit", "-S", "-qm", "x", fails=True)
    assert proof.exists()


def test_the_user_s_program_wins_over_the_repository_s(scratch, stand_in):
    """A repository that names another one changes nothing."""
    users_own(("commit.gpgSign", "true"), ("gpg.program", stand_in))
    scratch.git("config", "gpg.program", scratch.script("payload", "exit 1"))
    assert checkpoint.create(scratch.project, "x").commit
    assert signed(scratch)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([("gpg.format", "wax")], "in a format that is not known: wax"),
        ([("gpg.program", "no-such-signer")], "no-such-signer is not installed"),
    ],
)
def test_what_cannot_be_signed_with_is_said(scratch, settings, said):
    """Before anything of ours is in the index."""
    users_own(("commit.gpgSign", "true"), *settings)
    assert said in checkpoint.create(scratch.project, "x").note


@pytest.mark.parametrize(("code", "said"), [(129, "too old to sign"), (3, "git config: broken")])
def test_a_git_that_cannot_say_whose_a_setting_is(scratch, monkeypatch, code, said):
    """Then nobody can tell whose program it would be: nothing is signed, nothing committed."""
    users_own(("commit.gpgSign", "true"))
    real = Git.run

    def old(git, *arguments, **options):
        if "--show-scope" in arguments:
            raise GitFailed("git config: broken", code=code)
        return real(git, *arguments, **options)

    monkeypatch.setattr(Git, "run", old)
    assert said in checkpoint.create(scratch.project, "x").note


def test_a_program_beside_the_project_is_not_taken(scratch, monkeypatch):
    """Of PATH only absolute entries count: "." may hold a stranger's."""
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    users_own(("gpg.program", "signer-of-a-stranger"))
    (scratch.root / "signer-of-a-stranger").write_text("#!/bin/sh\n")
    (scratch.root / "signer-of-a-stranger").chmod(0o755)
    with pytest.raises(GitFailed, match="is not installed"):
        signing.switches(open_repository(scratch.root))
