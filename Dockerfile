# The command line and the dashboard in a container: docs/deployment.md. The store lies in /data, or in a database.
FROM python:3.13.7-slim-bookworm AS build
COPY . /source
RUN python -m venv /opt/export-dedup \
    && /opt/export-dedup/bin/python -m pip install --no-cache-dir "/source[dashboard,postgresql,alerts]"

FROM python:3.13.7-slim-bookworm
ENV HOME=/data \
    PATH=/opt/export-dedup/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/export-dedup /opt/export-dedup
COPY containers/healthy.py /opt/export-dedup/healthy.py
RUN mkdir -m 0700 /data && chown 10001:10001 /data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8377
# It answers whoever asks, if only that a key is needed.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["python", "/opt/export-dedup/healthy.py"]
ENTRYPOINT ["export-dedup"]
CMD ["dashboard", "--host", "0.0.0.0", "--port", "8377"]
