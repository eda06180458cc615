"""The commands that take a secret as an argument, each with the patterns of what stands before it.

A pattern ends where the secret begins; its group ``quote`` is the quotation mark that the secret stands in, if any.
"""

from __future__ import annotations

from typing import Final

QUOTE: Final = r"(?P<quote>\\{0,7}[\"'])?"


def given(*options: str) -> str:
    """A blank or ``=`` stands between the option and its secret."""
    return rf"(?<![^\s\"',\[])(?:{'|'.join(options)})(?:\\{{0,7}}[\"'],)?[ \t=]{{1,8}}{QUOTE}"


def attached(*options: str) -> str:
    """The secret follows the option at once."""
    return rf"(?<!\S)(?:{'|'.join(options)}){QUOTE}(?=\S)"


def user(*options: str, mark: str = ":") -> str:
    """A user, a mark and the secret follow the option."""
    given = rf"(?<![^\s\"'])(?:{'|'.join(options)})(?:\\{{0,7}}[\"'],)?[ \t=]{{0,8}}"
    return rf"{given}{QUOTE}[^\s:\"'{mark}]{{0,128}}{mark}(?!//)"


def after(words: str) -> str:
    """The secret follows these words."""
    return rf"{words}[ \t]{{1,8}}{QUOTE}(?!-)"


_OPTIONS: Final = r"(?:\s+--?[\w-]+(?:=\S+)?)*?"
TABLE: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    # Transfers
    (
        "curl xh wget",
        (user("-u", "--user", "-U", "--proxy-user"), given("--oauth2-bearer", "--proxy-pass"), user("-E", "--cert")),
    ),
    ("httpie xh", (user("-a", "--auth"),)),
    ("lftp ncftp", (user("-u", mark=","), given("-p"))),
    ("sshpass", (given("-p"), attached("-p"))),
    ("plink pscp psftp putty kitty winscp", (given("-pw", "-pwfile"), given("-p"))),
    # Databases
    (
        "mysql mariadb mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlsh mycli mysqlslap mydumper xtrabackup",
        (attached("-p"), user("-u", mark=":")),
    ),
    ("redis valkey keydb", (given("-a"), after("auth"))),
    (
        "mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop",
        (given("-p"), attached("-p(?!o)")),
    ),
    (
        "cqlsh clickhouse influx beeline impala presto trino couchbase cbq snowsql vsql nzsql gsql dsbulk taos arangosh surreal",
        (given("-p", "-w", "-pw"), attached("-p")),
    ),
    ("sqlcmd bcp osql isql tsql", (given("-P"), attached("-P"), given("-p"))),
    (
        "sqlplus sqlldr expdp impdp rman tnsping sqlcl",
        (rf"{_OPTIONS}\s+{QUOTE}[\w.$#]{{1,64}}/(?=[^\s/@]{{3,}}(?:@|[\s\"']|$))",),
    ),
    ("psql pg createuser", (given("--pass"),)),
    # Containers, clouds, deployment
    (
        "docker podman nerdctl buildah skopeo crane oras helm regctl",
        (rf"\blogin\b[^\n|;]{{0,200}}?\s(?:-p|-P)[ =]{{0,2}}{QUOTE}", user("--creds", "--src-creds", "--dest-creds")),
    ),
    ("azure", (given("-p", "-w"),)),
    ("ibmcloud rancher argocd kubeadm eksctl nomad consul faas", (given("-p", "-t"),)),
    ("vault", (after(r"login(?:\s+-[\w-]+(?:=\S+)?)*"), after(r"unseal(?:\s+-[\w-]+(?:=\S+)?)*"))),
    (
        "doctl hcloud linode scw civo flyctl fly railway vercel netlify heroku wrangler surge",
        (given("-t", "--auth-token", "--access-token"),),
    ),
    ("kubectl", (r"--from-literal[ =]" + QUOTE + r"[\w.-]*(?i:pass|pw|secret|token|key|cred|auth)[\w.-]*=",)),
    ("ansible", (given("-P"),)),
    ("glab", (rf"secret\s+set\b[^\n|;]{{0,120}}?\s(?:-b|--body)[ =]{QUOTE}",)),
    ("wsadmin wlst asadmin jboss", (given("-p", "-password"),)),
    # Package managers
    (
        "npm yarn pnpm bun",
        (rf"_(?:auth|authToken|password)[ =]{QUOTE}", after(r"config\s+set\s+[\w.]*(?i:token|auth|ident|password)\w*")),
    ),
    ("poetry", (after(r"pypi-token\.[\w-]+"), after(r"http-basic\.[\w-]+\s+\S+"))),
    ("twine gem", (given("-p", "-k"),)),
    (
        "cargo snyk ngrok tailscale cloudflared",
        (after(r"(?:login|auth|unlock|authtoken|add-authtoken|up)(?:\s+[\w.+-]+@\S+)?(?:\s+--\s)?"),),
    ),
    ("nuget dotnet", (given("-ApiKey", "-k", "-p", "-Password"),)),
    ("aws", (after(r"set\s+\S*(?:secret|token|password)\S*"),)),
    # Keys, archives, documents
    (
        "openssl",
        (rf"(?:pass|passin|passout)[ :]{{0,2}}{QUOTE}pass:", rf"-pass(?:in|out)?\s+{QUOTE}pass:", given("-k", "-K")),
    ),
    (
        "keytool jarsigner apksigner",
        (given("-storepass", "-keypass", "-srcstorepass", "-deststorepass", "-new"), rf"\spass:{QUOTE}"),
    ),
    ("zip unzip zipcloak", (given("-P"), attached("-P"))),
    ("rar unrar", (attached("-hp", "-p"),)),
    ("ssh", (given("-N", "-P"),)),
    ("pdftk", (after("(?:user_pw|owner_pw|input_pw)"),)),
    ("pdftotext pdfinfo pdfimages pdftoppm pdftops pdftohtml", (given("-upw", "-opw"),)),
    ("qpdf", (rf"--encrypt\s+{QUOTE}(?=\S)", rf"--encrypt\s+\S+\s+{QUOTE}(?=\S)")),
    ("security", (given("-w", "-p", "-P"), after(r"unlock-keychain\s+-p"))),
    # Users and directories
    (
        "htpasswd",
        (
            rf"\s-\w*b\w*(?:\s+-\w+(?:\s+\d+)?)*\s+(?:\S+\s+)?[^\s\"'-]\S*\s+{QUOTE}(?=[^\s\"'|>\\]+(?:\\|[\"'`]|\s*$|\s*[|>;)&]))",
        ),
    ),
    ("mosquitto", (given("-P"),)),
    ("passwd", (rf"\s-b\s+\S+\s+\S+\s+{QUOTE}",)),
    (
        "ldapsearch ldapadd ldapmodify ldapwhoami ldappasswd ldapdelete ldapmodrdn ldapcompare ldapexop",
        (given("-w", "-s", "-a"), attached("-w")),
    ),
    (
        "smbclient smbmap smbget rpcclient nmblookup net wmic samba crackmapexec nxc netexec winexe pth smbcacls smbcquotas",
        (user("-U", "--user", "-u", mark="%"), given("-p")),
    ),
    (
        "net",
        (
            rf"\buser\s+[^\s/]+\s+{QUOTE}(?![/\s\"'])",
            rf"\buse\s+(?:\S+\s+)?\\\\\S+\s+{QUOTE}(?!/)",
            rf"/user:\S+\s+{QUOTE}(?!/)",
        ),
    ),
    (
        "cmdkey wmic psexec schtasks runas xfreerdp wfreerdp rdesktop remmina winrs mstsc",
        (rf"(?<=\s)[/-](?:pass(?:word)?|p|rp)[: ]{QUOTE}",),
    ),
    ("useradd usermod adduser dscl", (given("-p"),)),
    ("rabbitmqctl", (after(r"(?:add_user|change_password|authenticate_user)\s+\S+"),)),
    ("rabbitmqadmin", (given("-p"),)),
    ("etcdctl", (user("--user"),)),
    ("ipmitool bmc racadm", (given("-P", "-p"),)),
    ("snmpget snmpwalk snmpset snmpbulkwalk snmptrap", (given("-A", "-X", "-c"),)),
    # Networks and mail
    ("nmcli", (after("password"), after(r"wifi-sec\.psk"))),
    ("wpa", (rf"_passphrase\s+\S+\s+{QUOTE}",)),
    ("iwconfig", (after("key"),)),
    ("networksetup", (rf"-setairportnetwork\s+\S+\s+\S+\s+{QUOTE}",)),
    ("swaks sendemail", (given("-xp", "-ap", "--auth-password"),)),
    ("sudo su", (rf"-S\s*<<<\s*{QUOTE}",)),
    ("convertto", (rf"-SecureString\s+(?:-String\s+)?{QUOTE}(?![-$])",)),
    ("hydra medusa evil winrm", (given("-p"),)),
    ("maven mvn sonar gradle", (rf"-D(?:sonar\.login|sonar\.token)={QUOTE}",)),
    ("send", (r"(?:\s+--)?\s+(?P<quote>\\{0,7}\")(?=[^\"\s]{4,128}\\{1,8}[rn]\\{0,7}\")",)),
    (
        "identified",
        (
            r"\s+(?:(?:WITH|with)\s+\S+\s+)?(?:BY|by|AS|as)\s+(?:(?:PASSWORD|password)\s+)?(?P<quote>\\{0,7}[\"'])",
            r"\s+BY\s+(?=[\w#$]{0,30}\d)",
        ),
    ),
    ("requirepass masterauth", (rf"\A[ \t]+{QUOTE}",)),
    ("chpasswd", (rf"<<<\s*{QUOTE}[\w.-]+:",)),
)
