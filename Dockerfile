# The light half: store, queries and the HTTP service. No torch.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE circuitstore.py ./
COPY api api
COPY ingest ingest
COPY queries queries
COPY store store
RUN python -m venv /opt/circuitstore \
 && /opt/circuitstore/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 circuitstore \
 && install --directory --owner circuitstore /data
COPY --from=build /opt/circuitstore /opt/circuitstore
ENV PATH=/opt/circuitstore/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CIRCUITSTORE_STORE=ladybug:/data/circuits.lbug \
    CIRCUITSTORE_HOST=0.0.0.0 \
    CIRCUITSTORE_PORT=8000
USER circuitstore
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["circuitstore", "serve"]
