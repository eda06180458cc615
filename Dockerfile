# The command line and the dashboard of export-dedup. Nothing in it writes outside /data, so that it runs on a read-only root:
#   docker run --read-only --user 10001 -p 127.0.0.1:8377:8377 -v "$PWD/MEMORY-CONTEXT/dedup_state:/data/dedup_state" export-dedup
FROM python:3.13.9-slim-trixie AS built
WORKDIR /source
COPY pyproject.toml setup.py README.md LICENSE MANIFEST.in ./
COPY .coditect .coditect
COPY commands commands
COPY hooks hooks
COPY skills skills
COPY scripts scripts
RUN python -m venv /opt/export-dedup \
    && /opt/export-dedup/bin/python -m pip install --no-cache-dir --no-compile ".[dashboard,postgresql,comfort]" \
    && /opt/export-dedup/bin/python -m compileall -q /opt/export-dedup/lib

FROM python:3.13.9-slim-trixie
LABEL org.opencontainers.image.title="export-dedup" \
      org.opencontainers.image.licenses="MIT"
COPY --from=built /opt/export-dedup /opt/export-dedup
ENV PATH="/opt/export-dedup/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    XDG_DATA_HOME=/data/share \
    XDG_CONFIG_HOME=/data/config
RUN groupadd --system --gid 10001 dedup \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin dedup \
    && install -d -o 10001 -g 10001 -m 0700 /data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8377
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8377/favicon.ico', timeout=4)"]
ENTRYPOINT ["export-dedup"]
CMD ["dashboard", "--host", "0.0.0.0", "--port", "8377", "--storage-dir", "/data/dedup_state"]
