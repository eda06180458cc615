"""Kinds of secrets that never were: how people, programs and files write them down, with made-up values.

Nothing in this file is a secret: each value is random, each text is a shape with a place for it. ``¤`` stands for the secret.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid

from planted import ALNUM, HEX, URL_SAFE, wrapped

_SYMBOLS = "!#%*+=?@^~"


def _password(chance):
    """Letters and digits as a generator of passwords makes them."""
    return "".join(chance.choice(ALNUM) for _ in range(chance.randrange(9, 18))) + "q7"


def _symbols(chance):
    """With signs in the midst."""
    middle = "".join(chance.choice(ALNUM + _SYMBOLS) for _ in range(chance.randrange(8, 14)))
    return f"R{middle}4k"


def _invented(chance):
    """As people make them up: a word, a number, perhaps a sign."""
    word = "".join(chance.choice("bdfgklmnprst") + chance.choice("aeiou") for _ in range(chance.randrange(3, 5)))
    return word.capitalize() + chance.choice(("", "-", "_", "!", "#")) + str(chance.randrange(10, 9999))


def _of(characters, size):
    def made(chance):
        return "".join(chance.choice(characters) for _ in range(size - 1)) + chance.choice(
            [c for c in characters if c.isalnum()]
        )

    return made


def _base64(size):
    return lambda chance: base64.b64encode(chance.randbytes(size)).decode()


def _uuid(chance):
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _digits(size):
    return lambda chance: "".join(chance.choice("123456789") for _ in range(size))


def _encoded(text):
    """Base64 of a text with a secret in it."""

    def made(chance):
        return base64.b64encode(text.replace("¤", _password(chance)).encode()).decode()

    return made


def _encoded_key(beginning, characters, size):
    return lambda chance: base64.b64encode((beginning + _of(characters, size)(chance)).encode()).decode()


def _hex_key(chance):
    return ("ghp_" + _of(ALNUM, 36)(chance)).encode().hex()


def _discord(chance):
    number = base64.b64encode(str(chance.randrange(10**17, 10**18)).encode()).decode().rstrip("=")
    return f"{number}.{_of(ALNUM, 6)(chance)}.{_of(URL_SAFE, 38)(chance)}"


def _app(chance):
    return " ".join("".join(chance.choice("bcdfghjkmnpqrstvwxz") for _ in range(4)) for _ in range(4))


_P, _S, _I = _password, _symbols, _invented
KINDS = {
    # files
    ".netrc, one line": ("machine git.example.org login ann password ¤", _P),
    ".netrc, lines": ("machine git.example.org\n  login ann\n  password ¤\n", _I),
    ".netrc, default": ("default login ann password ¤", _S),
    ".pgpass": ("db.example.org:5432:tides:ann:¤", _P),
    ".pgpass, any": ("*:*:*:ann:¤", _I),
    ".pgpass, port": ("10.1.2.3:7001:tides:ann:¤", _P),
    ".my.cnf": ("[client]\nuser=ann\npassword=¤", _I),
    ".my.cnf, blanks": ("[mysqldump]\nuser = ann\npassword = ¤", _P),
    ".git-credentials": ("https://ann:¤@git.example.org", _P),
    ".npmrc token": ("//registry.example.org/:_authToken=¤", _uuid),
    ".npmrc auth": ("//registry.example.org/:_auth=¤", _encoded("ann:¤")),
    ".npmrc password": ("//registry.example.org/:_password=¤", _encoded("¤")),
    ".pypirc": ("[pypi]\nusername = ann\npassword = ¤", _P),
    ".dockercfg": ('{"auths": {"https://index.example.org/v1/": {"auth": "¤"}}}', _encoded("ann:¤")),
    "docker identity": ('{"auths": {"r.example.org": {"identitytoken": "¤"}}}', _of(ALNUM, 40)),
    "kubeconfig key": ("    client-key-data: ¤", _base64(90)),
    "kubeconfig token": ("    token: ¤", _of(ALNUM, 40)),
    "kubernetes secret": ("apiVersion: v1\nkind: Secret\ndata:\n  password: ¤", _encoded("¤")),
    "kubernetes env": ("- name: DB_PASSWORD\n  value: ¤", _P),
    "wpa_supplicant": ('network={\n  ssid="harbour"\n  psk="¤"\n}', _I),
    "wpa_supplicant, bytes": ("  psk=¤", _of(HEX, 64)),
    "wep": ("wep_key0=¤", _of(HEX, 26)),
    "hostapd": ("wpa_passphrase=¤", _I),
    "NetworkManager": ("[wifi-security]\nkey-mgmt=wpa-psk\npsk=¤", _P),
    "WireGuard": ("[Interface]\nPrivateKey = ¤", _base64(32)),
    "WireGuard shared": ("[Peer]\nPresharedKey = ¤", _base64(32)),
    "htpasswd": ("ann:$apr1$¤", lambda c: f"{_of(ALNUM, 8)(c)}${_of(ALNUM, 22)(c)}"),
    "bcrypt": ("ann:$2y$10$¤", _of(ALNUM + "./", 53)),
    "shadow": ("root:$6$¤:19000:0:99999:7:::", lambda c: f"{_of(ALNUM, 16)(c)}${_of(ALNUM + './', 86)(c)}"),
    "yescrypt": ("ann:$y$j9T$¤:19000:0:99999:7:::", lambda c: f"{_of(ALNUM, 22)(c)}${_of(ALNUM + './', 43)(c)}"),
    "ldif": ("userPassword: {SSHA}¤", _base64(24)),
    "pwdump": ("Administrator:500:¤:::", lambda c: f"{_of(HEX, 32)(c)}:{_of(HEX, 32)(c)}"),
    "rclone": ("[remote]\ntype = sftp\npass = ¤", _of(URL_SAFE, 30)),
    "JWK": ('{"kty":"EC","crv":"P-256","x":"abc","d":"¤"}', _of(URL_SAFE, 43)),
    "JWK oct": ('{"kty": "oct", "k": "¤"}', _of(URL_SAFE, 43)),
    "AWS credentials": ("[default]\naws_secret_access_key = ¤", _of(ALNUM + "/+", 40)),
    "AWS session": ("aws_session_token=¤", _base64(120)),
    "Azure storage": ("DefaultEndpointsProtocol=https;AccountName=tides;AccountKey=¤;EndpointSuffix=core", _base64(64)),
    "Azure bus": ("Endpoint=sb://x.example.org/;SharedAccessKeyName=Root;SharedAccessKey=¤", _base64(32)),
    "JDBC": ("jdbc:mysql://db.example.org/tides?user=ann&password=¤", _P),
    "JDBC, Oracle": ("jdbc:oracle:thin:ann/¤@db.example.org:1521:tides", _P),
    "ADO": ("Server=db;Database=tides;User Id=ann;Pwd=¤;Encrypt=true", _P),
    ".env": ("DB_PASS=¤", _I),
    ".env, quoted": ('MAIL_PASSWORD="¤"', _S),
    "docker-compose": ("      MYSQL_ROOT_PASSWORD: ¤", _P),
    "Dockerfile": ("ENV API_TOKEN=¤", _P),
    "Dockerfile, blank": ("ENV DB_PASSWORD ¤", _P),
    "systemd": ('Environment="DB_PW=¤"', _P),
    "web.config": ('<add key="SmtpPassword" value="¤" />', _I),
    "Maven": ("<server><id>x</id><username>ann</username><password>¤</password></server>", _I),
    "FileZilla": ('<Pass encoding="base64">¤</Pass>', _encoded("¤")),
    "unattend.xml": ("<Password><Value>¤</Value></Password>", _P),
    "Tomcat": ('<user username="ann" password="¤" roles="manager"/>', _I),
    "registry file": ('"DefaultPassword"="¤"', _P),
    "WordPress": ("define('DB_PASSWORD', '¤');", _I),
    "WordPress salt": ("define('AUTH_KEY', '¤');", _of(ALNUM + "!#%*+-=?@^~", 64)),
    "Django": ("SECRET_KEY = 'django-insecure-¤'", _of(string.ascii_lowercase + string.digits + "!@#%^&*", 40)),
    "Laravel": ("APP_KEY=base64:¤", _base64(32)),
    "Rails": ("  secret_key_base: ¤", _of(HEX, 128)),
    "properties": ("spring.datasource.password=¤", _I),
    "HCL": ('  db_password = "¤"', _I),
    "HCL variable": ('variable "db_password" {\n  default = "¤"\n}', _P),
    "TOML": ('api-token = "¤"', _of(ALNUM, 24)),
    "redis.conf": ("requirepass ¤", _P),
    "msmtp": ("password ¤", _P),
    "mutt": ('set imap_pass="¤"', _I),
    "fetchmail": ('poll mail.example.org user "ann" password "¤"', _I),
    "ansible": ("web1 ansible_user=ann ansible_become_pass=¤", _I),
    "ansible, YAML": ("ansible_ssh_pass: ¤", _P),
    "chap-secrets": ('"ann" * "¤" *', _P),
    "ipsec.secrets": (': PSK "¤"', _P),
    "Cisco": ("enable secret ¤", _P),
    "Cisco 7": ("username ann password 7 ¤", _of("0123456789ABCDEF", 18)),
    "SNMP": ("snmp-server community ¤ RO", _P),
    "FreeRADIUS": ("  secret = ¤", _P),
    "cookie jar": (".example.org\tTRUE\t/\tTRUE\t1893456000\tsessionid\t¤", _of(ALNUM, 32)),
    "hosts.yml": ("    oauth_token: ¤", _of(ALNUM, 40)),
    "composer": ('{"http-basic": {"r.example.org": {"username": "ann", "password": "¤"}}}', _I),
    "PuTTY session": ('"ProxyPassword"="¤"', _P),
    "Postman": ('{"key": "api_token", "value": "¤"}', _of(ALNUM, 32)),
    "Wi-Fi code": ("WIFI:T:WPA;S:harbour;P:¤;;", _I),
    "Wi-Fi code, order": ("WIFI:S:harbour;T:WPA2;P:¤;H:true;;", _P),
    "otpauth": ("otpauth://totp/x:ann?secret=¤&issuer=x", _of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32)),
    # commands
    "curl -u": ("curl -u ann:¤ https://api.example.org", _I),
    "curl -u, quoted": ("curl -s -u 'ann:¤' https://api.example.org", _S),
    "curl --user": ("curl --user ann:¤ https://api.example.org", _P),
    "curl -U": ("curl -x proxy:3128 -U ann:¤ https://api.example.org", _P),
    "curl -H": ('curl -H "X-Api-Key: ¤" https://api.example.org', _of(ALNUM, 24)),
    "curl -H token": ("curl -H 'Authorization: token ¤' https://api.example.org", _of(HEX, 40)),
    "curl -b": ("curl -b 'session=¤' https://api.example.org", _of(ALNUM, 28)),
    "httpie": ("http -a ann:¤ api.example.org", _I),
    "wget": ("wget --user=ann --password=¤ https://x.example.org", _I),
    "wget http": ("wget --http-password '¤' https://x.example.org", _S),
    "sshpass": ("sshpass -p ¤ ssh ann@example.org", _I),
    "sshpass, attached": ("sshpass -p¤ ssh ann@example.org", _P),
    "sshpass, quoted": ("sshpass -p '¤' scp a ann@example.org:", _S),
    "mysql -p": ("mysql -h db -u ann -p¤ tides", _I),
    "mysql --password": ("mysql -u ann --password=¤ tides", _P),
    "mysqldump": ("mysqldump -uann -p'¤' tides > t.sql", _S),
    "mariadb": ("mariadb -uroot -p¤", _P),
    "psql": ("psql postgresql://ann:¤@db.example.org/tides", _P),
    "PGPASSWORD": ("PGPASSWORD=¤ psql -h db -U ann tides", _I),
    "MYSQL_PWD": ("MYSQL_PWD='¤' mysql tides", _S),
    "redis-cli": ("redis-cli -h cache -a ¤ ping", _I),
    "mongosh": ("mongosh --host db -u ann -p ¤", _P),
    "mongodump": ("mongodump -u ann --password ¤ -o out", _I),
    "sqlcmd": ("sqlcmd -S db -U sa -P ¤ -Q 'select 1'", _I),
    "sqlplus": ("sqlplus ann/¤@db", _P),
    "openssl": ("openssl enc -aes-256-cbc -in a -out b -pass pass:¤", _I),
    "openssl passin": ("openssl rsa -in k.pem -passin pass:¤", _P),
    "htpasswd -b": ("htpasswd -b .htpasswd ann ¤", _I),
    "htpasswd -nb": ("htpasswd -nbB ann ¤", _P),
    "docker login": ("docker login -u ann -p ¤ r.example.org", _I),
    "podman login": ("podman login r.example.org --username ann --password ¤", _P),
    "skopeo": ("skopeo copy --src-creds ann:¤ docker://a docker://b", _P),
    "az login": ("az login --service-principal -u app -p ¤ --tenant t", _P),
    "aws configure": ("aws configure set aws_secret_access_key ¤", _of(ALNUM, 40)),
    "gpg": ("gpg --batch --passphrase ¤ -d a.gpg", _I),
    "7z": ("7z a -p¤ a.7z folder", _I),
    "zip": ("zip -r -P ¤ a.zip folder", _P),
    "unzip": ("unzip -P ¤ a.zip", _I),
    "rsync": ("RSYNC_PASSWORD=¤ rsync -a rsync://ann@example.org/x .", _I),
    "ldapsearch": ("ldapsearch -x -D cn=admin,dc=example -w ¤ -b dc=example", _I),
    "smbclient": ("smbclient //files/share -U ann%¤", _I),
    "net use": ("net use Z: \\\\files\\share ¤ /user:ann", _P),
    "kinit": ("echo ¤ | kinit ann@EXAMPLE.ORG", _I),
    "sudo -S": ("echo '¤' | sudo -S apt-get update", _I),
    "chpasswd": ('echo "ann:¤" | chpasswd', _I),
    "password-stdin": ("echo ¤ | docker login -u ann --password-stdin r.example.org", _P),
    "expect": ('send "¤\\r"', _I),
    "git clone": ("git clone https://ann:¤@git.example.org/a/b.git", _P),
    "npm config": ("npm config set //registry.example.org/:_authToken ¤", _uuid),
    "pip index": ("pip install --index-url https://ann:¤@pypi.example.org/simple x", _P),
    "helm": ("helm repo add x https://x.example.org --username ann --password ¤", _P),
    "ansible -e": ('ansible-playbook p.yml -e "ansible_become_pass=¤"', _P),
    "vault login": ("vault login ¤", _of(ALNUM, 26)),
    "vault write": ("vault kv put secret/tides password=¤", _P),
    "terraform -var": ("terraform apply -var 'db_password=¤'", _I),
    "kubectl": ("kubectl create secret generic x --from-literal=password=¤", _I),
    "kubectl docker": ("kubectl create secret docker-registry x --docker-password=¤", _P),
    "keytool": ("keytool -list -keystore a.jks -storepass ¤", _I),
    "java -D": ("java -Djavax.net.ssl.keyStorePassword=¤ -jar a.jar", _P),
    "ssh-keygen": ("ssh-keygen -t ed25519 -N '¤' -f key", _S),
    "plink": ("plink -ssh -pw ¤ ann@example.org", _P),
    "nmcli": ("nmcli dev wifi connect harbour password ¤", _P),
    "wpa_passphrase": ("wpa_passphrase harbour ¤", _I),
    "mosquitto": ("mosquitto_pub -h mq -u ann -P ¤ -t a -m b", _I),
    "rabbitmqctl": ("rabbitmqctl add_user ann ¤", _I),
    "cqlsh": ("cqlsh -u ann -p ¤ db", _P),
    "lftp": ("lftp -u ann,¤ ftp.example.org", _I),
    "xfreerdp": ("xfreerdp /v:host /u:ann /p:¤", _P),
    "twine": ("twine upload -u ann -p ¤ dist/*", _P),
    "ipmitool": ("ipmitool -H bmc -U ann -P ¤ power status", _P),
    "unknown command": ("tidectl --host x -u ann -p ¤ status", _P),
    "security": ("security add-generic-password -a ann -s tides -w ¤", _P),
    "PowerShell": ('$env:DB_PASSWORD = "¤"', _I),
    "SecureString": ('ConvertTo-SecureString "¤" -AsPlainText -Force', _I),
    "SQL": ("CREATE USER 'ann'@'%' IDENTIFIED BY '¤';", _I),
    "SQL, PostgreSQL": ("ALTER ROLE ann WITH PASSWORD '¤';", _I),
    "mysql SET": ("SET PASSWORD FOR 'ann'@'%' = PASSWORD('¤');", _P),
    # names
    "camelCase": ("const dbPassword = '¤';", _I),
    "kebab-case": ("  smtp-password: ¤", _P),
    "snake_case": ('client_secret = "¤"', _of(ALNUM, 24)),
    "SCREAMING": ("export STRIPE_SECRET=¤", _of(ALNUM, 24)),
    "dotted": ("mail.smtp.pass = ¤", _P),
    "JSON": ('{"user": "ann", "pwd": "¤"}', _I),
    "YAML": ("passphrase: ¤", _P),
    "pw": ("user: ann\npw: ¤", _P),
    "PIN": ("PIN: ¤", _digits(6)),
    "OTP": ("TOTP_SEED=¤", _of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32)),
    "keyword": ('login(user="ann", passwd="¤")', _I),
    "setter": ('config.setPassword("¤")', _I),
    "query": ("https://api.example.org/x?access_token=¤&page=2", _of(ALNUM, 32)),
    "query, pass": ("https://api.example.org/x?user=ann&pass=¤", _P),
    "header": ("PRIVATE-TOKEN: ¤", _of(ALNUM, 20)),
    "header, Basic": ("Authorization: Basic ¤", _encoded("ann:¤")),
    "header, ApiKey": ("Authorization: ApiKey ¤", _of(ALNUM, 32)),
    "header, UUID": ("X-Server-Token: ¤", _uuid),
    "Cookie": ("Cookie: theme=dark; sessionid=¤", _of(ALNUM, 32)),
    "Set-Cookie": ("Set-Cookie: connect.sid=s%3A¤; Path=/; HttpOnly", _of(ALNUM, 43)),
    "PHPSESSID": ("Cookie: PHPSESSID=¤", _of(string.ascii_lowercase + string.digits, 26)),
    "Datadog": ("DD_API_KEY=¤", _of(HEX, 32)),
    "Heroku": ("HEROKU_API_KEY=¤", _uuid),
    "subscription key": ("Ocp-Apim-Subscription-Key: ¤", _of(HEX, 32)),
    "Twilio": ('TWILIO_AUTH_TOKEN="¤"', _of(HEX, 32)),
    "secret id": ("secret_id: ¤", _uuid),
    "spaced name": ("Secret Access Key: ¤", _of(ALNUM + "/+", 40)),
    "client secret": ("Client Secret: ¤", _of(ALNUM, 32)),
    "app password": ("app password: ¤", _app),
    "passphrase": (
        'passphrase = "¤"',
        lambda c: " ".join(_of("abcdefghiklmnoprstu", 6)(c)[:-1] + "a" for _ in range(5)),
    ),
    "mnemonic": (
        'mnemonic: "¤"',
        lambda c: " ".join(
            c.choice(("abandon", "ability", "able", "about", "above", "absent", "absorb")) for _ in range(12)
        ),
    ),
    # encoded
    "base64 of a key": ("data: ¤", _encoded_key("ghp_", ALNUM, 36)),
    "base64 of a setting": ("echo ¤ | base64 -d", _encoded("DB_PASSWORD=¤")),
    "base64 of an address": ("url: ¤", _encoded("postgres://ann:¤@db.example.org/tides")),
    "base64 of credentials": ("value: ¤", _encoded("ann:¤")),
    "hex of a key": ("data: ¤", _hex_key),
    "Discord": ("bot runs with ¤ now", _discord),
    "service": ("use acme_live_¤ there", _of(ALNUM, 36)),
    # sentences
    "English": ("The password is ¤, please change it.", _P),
    "English, quoted": ('The password for the server is "¤".', _I),
    "English, use": ("Log in as ann with password ¤ and tell me.", _P),
    "English, reversed": ("¤ is the password.", _P),
    "English, colon": ("Here is the root password for staging: ¤", _S),
    "credentials": ("credentials: ann / ¤", _P),
    "German": ("Das Passwort lautet ¤.", _P),
    "German, Kennwort": ("Das neue Kennwort für den Server ist ¤", _I),
    "French": ("Le mot de passe est ¤.", _P),
    "French, colon": ("mot de passe : ¤", _I),
    "Spanish": ("La contraseña es ¤.", _P),
    "Italian": ("La password è ¤.", _P),
    "Portuguese": ("A senha é ¤.", _P),
    "Dutch": ("Het wachtwoord is ¤.", _P),
    "Polish": ("Hasło to ¤.", _P),
    "Czech": ("Heslo je ¤.", _P),
    "Swedish": ("Lösenordet är ¤.", _P),
    "Danish": ("Adgangskoden er ¤.", _P),
    "Finnish": ("Salasana on ¤.", _P),
    "Hungarian": ("A jelszó: ¤", _P),
    "Romanian": ("Parola este ¤.", _P),
    "Turkish": ("Şifre: ¤", _P),
    "Russian": ("Пароль: ¤", _P),
    "Russian, dash": ("пароль от сервера — ¤.", _P),
    "Ukrainian": ("Пароль до бази ¤.", _P),
    "Greek": ("Ο κωδικός είναι ¤.", _P),
    "Chinese": ("密码是¤。", _P),
    "Chinese, colon": ("数据库密码：¤", _I),
    "Japanese": ("パスワードは¤です。", _P),
    "Korean": ("비밀번호는 ¤입니다.", _P),
    "Arabic": ("كلمة المرور هي ¤", _P),
    "Hebrew": ("הסיסמה היא ¤", _P),
    "Hindi": ("पासवर्ड है ¤", _P),
    "Vietnamese": ("Mật khẩu là ¤.", _P),
    "Indonesian": ("Kata sandi adalah ¤.", _P),
    "Thai": ("รหัสผ่านคือ ¤", _P),
}
PLACES = ("prose", "fence", "tool", "JSON", "wrapped")


def made(kind, seed):
    """A text of a kind, and the secret in it."""
    chance = random.Random(f"{kind} {seed}")
    shape, value = KINDS[kind]
    secret = value(chance)
    return shape.replace("¤", secret), secret


def placed(text, secret, place, seed):
    """``text`` as it stands in a conversation: in one of :data:`PLACES`."""
    lines = text.split("\n")
    if place == "prose":
        return f"It did not work this morning.\n\n{text}\n\nThat is all I know about it.\n"
    if place == "fence":
        return f"Like this:\n\n```\n{text}\n```\n\nIt should work.\n"
    if place == "tool":
        shown = "\n     ".join(lines)
        return f"● Bash(cat notes.txt)\n  ⎿  {shown}\n\n● It is there.\n"
    if place == "JSON":
        return json.dumps({"type": "text", "text": f"before\n{text}\nafter", "n": 1}, ensure_ascii=False)
    number = next(n for n, line in enumerate(lines) if secret[:4] in line)
    chance = random.Random(f"{text} {seed}")
    cut = lines[number].index(secret) + chance.randrange(len(secret))
    room = max(0, chance.choice((60, 77, 100)) - cut - 2)
    lead = (
        "said some time ago, when it was still the old one, and it was not this one here, that all of it is this line "
    )[-room:]
    # A line of a file is long by its indentation; what is said or run alone, by what stands before it.
    lines[number] = (" " * room if len(lines) > 1 else lead if room else "") + lines[number]
    return "\n".join(
        ["● It is there.", "", *(wrapped(f"  {line}", cut + room + 2) for line in lines), "", "● And now?"]
    )


def left(secret, text):
    """Whether a text still shows a secret: eight characters in a row of it, line ends aside."""
    together = "".join(line.strip(" │") for line in text.split("\n"))
    size = min(len(secret), 8)
    return any(secret[at : at + size] in shown for shown in (text, together) for at in range(len(secret) - size + 1))
