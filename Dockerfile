# One image for every process of the Procfile; compose.yaml starts them. The processes need nothing but Python packages.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 ASTRA_DATA_DIR=/data
WORKDIR /srv/astra

COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY . .
RUN useradd --system --uid 1000 astra && mkdir /data && chown astra /data
USER 1000
VOLUME /data
EXPOSE 8000

CMD ["gunicorn", "astra.wsgi", "--worker-class", "astra.web.PatientWorker", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8"]
