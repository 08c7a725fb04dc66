# samserve on the CPU:
#   docker build -t samserve .
#   docker run -p 9090:9090 -v samserve:/cache samserve
FROM python:3.12-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends npm \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements/cpu.txt requirements/cpu.txt
RUN python3 -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/cpu.txt
COPY pyproject.toml README.md LICENSE ./
COPY server server
COPY exporters exporters
COPY weights weights
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

RUN useradd --create-home samserve && install -d -o samserve /cache
USER samserve
# for docker exec: samserve doctor
ENV SAMSERVE_CACHE_DIR=/cache PATH=/venv/bin:$PATH
VOLUME /cache
EXPOSE 9090
# a 401 is an answer too
HEALTHCHECK --interval=10s --timeout=2s --start-period=60s \
  CMD ["/venv/bin/python", "-c", "import http.client, os; e = os.environ.get; c = http.client.HTTPConnection('127.0.0.1', int(e('SAMSERVE_PORT', 9090))); c.request('GET', e('SAMSERVE_BASE_PATH', '') + '/health'); assert c.getresponse().status in (200, 401)"]
ENTRYPOINT ["/venv/bin/samserve"]
CMD ["serve"]
