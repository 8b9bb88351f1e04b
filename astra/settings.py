"""All settings, each read once from the environment. Nonsense stops the process with a sentence.

With nothing set, the project runs embedded: SQLite, local disk and everything else under ASTRA_DATA_DIR. Setting
DATABASE_URL makes it production, in which secrets and hosts have no defaults.
"""

import os
import ssl
from functools import partial
from pathlib import Path
from typing import Any

from accounts.plans import plan_limits

from .databases import postgresql, sqlite
from .databases.results import local_results, s3_results
from .environment import (
    credential,
    domains,
    flag,
    folder,
    generated_secret,
    host_or_url,
    hosts,
    http_url,
    http_urls,
    log_level,
    matching,
    number,
    numbers,
    one_of,
    origin,
    origins,
    package_folder,
    parsed,
    redis_url,
    refuse_root,
    regions,
    secret,
    text,
    tile_url,
    whole_number,
)
from .logs import logging_settings
from .times import WHOLE_SECONDS

BASE_DIR = Path(__file__).resolve().parent.parent

# --- The basics ----------------------------------------------------------------------------------------------------

refuse_root(asked=flag("ASTRA_REFUSE_ROOT", default=False))
os.umask(0o077)  # all that any process writes is for this user only
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
DATA_DIR = folder("ASTRA_DATA_DIR", BASE_DIR / "var")

EMBEDDED = not text("DATABASE_URL")
IS_WEB = text("ASTRA_ROLE") == "web"  # set by wsgi.py
DEBUG = flag("DEBUG", default=False)
DEFAULT_EXCEPTION_REPORTER = "astra.pages.debug_pages.ReportWithoutKeys"
DEFAULT_EXCEPTION_REPORTER_FILTER = "astra.pages.debug_pages.WithoutSecrets"
SECRET_KEY = secret("SECRET_KEY", 50, is_required=not EMBEDDED) or generated_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = domains("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"], is_required=not EMBEDDED)

PUBLIC_URL = origin("ASTRA_PUBLIC_URL")
HSTS_SECONDS = whole_number("ASTRA_HSTS_SECONDS", 30 * 86_400, least=0, most=2 * 366 * 86_400)
if PUBLIC_URL.startswith("https:"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = HSTS_SECONDS
    SECURE_SSL_REDIRECT = not EMBEDDED
    SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]  # asked by machines that reach us without the proxy
# Whether all names below the host have TLS, and stand in browsers' lists, is its owner's to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "accounts",
    "processing",
]
MIDDLEWARE = [
    "astra.middleware.Traced",
    "corsheaders.middleware.CorsMiddleware",
    "accounts.middleware.Gate",
    "astra.middleware.StrictAddress",
    "astra.middleware.CompressedJSON",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "astra.pages.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "astra.pages.middleware.Logins",
    "astra.pages.middleware.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "astra.urls"
WSGI_APPLICATION = "astra.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
# Of django-leaflet only the files: as an app it would load GDAL in the web process.
STATICFILES_DIRS = [BASE_DIR / "astra/static", package_folder("leaflet") / "static", ("docs", BASE_DIR / "docs/images")]
WHITENOISE_USE_FINDERS = True  # serves the admin's files from the installed packages, without collectstatic

# --- Database ------------------------------------------------------------------------------------------------------

DATABASES = {"default": sqlite(DATA_DIR) if EMBEDDED else postgresql(text("DATABASE_URL"), pooled=IS_WEB)}

# --- API -----------------------------------------------------------------------------------------------------------

MAX_BODY_BYTES = 64 * 1024
KEY_PEPPER = secret("ASTRA_KEY_PEPPER", 16) or SECRET_KEY
TRUSTED_PROXIES = whole_number("ASTRA_TRUSTED_PROXIES", 0, least=0, most=10)
METRICS_TOKEN = credential("ASTRA_METRICS_TOKEN")

# Pages of any origin may call the API: keys travel in a header that no browser sends by itself, and no cookie counts.
CORS_URLS_REGEX = r"^/(api|files)/"
CORS_ALLOWED_ORIGINS = origins("ASTRA_CORS_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = not CORS_ALLOWED_ORIGINS
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    *("authorization", "content-type", "idempotency-key", "prefer", "x-request-id"),
    *("range", "if-match", "if-none-match", "if-modified-since", "if-range"),
]
CORS_EXPOSE_HEADERS = [
    *("ETag", "Content-Range", "Accept-Ranges", "Content-Length", "Content-Disposition", "Last-Modified", "Location"),
    *("Retry-After", "Preference-Applied", "X-Request-Id", "X-Astra-Version"),
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
]
CORS_PREFLIGHT_MAX_AGE = 86_400

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "accounts.authentication.WithinScope",
    ],
    "DEFAULT_PARSER_CLASSES": ["astra.parsing.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["astra.rendering.FastJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "astra.parsing.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "processing.api.schema.DescribedView",
    "EXCEPTION_HANDLER": "astra.exceptions.error_response",
    "DATETIME_FORMAT": WHOLE_SECONDS,
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

# --- Results -------------------------------------------------------------------------------------------------------

RESULT_TTL = whole_number("ASTRA_RESULT_TTL", 86_400, least=1, most=7 * 86_400)  # seconds; S3 links last 7 days
WORK_DIR = DATA_DIR / "work"
_BUCKET_NAME, _REGION = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", r"[a-z0-9-]{1,32}"
BUCKET = matching("ASTRA_BUCKET", _BUCKET_NAME, "the name of a bucket: 3 to 63 of a-z, 0-9, . and -")
S3_ENDPOINT = http_url("AWS_S3_ENDPOINT_URL")
_S3_ACCESS = {
    "endpoint_url": S3_ENDPOINT or None,
    "access_key": credential("AWS_ACCESS_KEY_ID") or None,
    "secret_key": credential("AWS_SECRET_ACCESS_KEY") or None,
    "region_name": matching("AWS_REGION", _REGION, "a region such as eu-central-1") or None,
}
# Tiles under the results on a map, such as https://tiles.example/{z}/{x}/{y}.png. None: no other host is asked.
BASEMAP_URL = tile_url("ASTRA_BASEMAP_URL")
BASEMAP_ATTRIBUTION = text("ASTRA_BASEMAP_ATTRIBUTION")
STORAGES = {
    "default": s3_results(BUCKET, _S3_ACCESS) if BUCKET else local_results(DATA_DIR / "results"),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- Catalogues and rasters ----------------------------------------------------------------------------------------

# Roots of STAC APIs in the order in which they are asked. Empty: the provider's own.
STAC_ROOTS = {
    "sentinel-2": http_urls("ASTRA_SENTINEL2_STAC"),
    "landsat": http_urls("ASTRA_LANDSAT_STAC"),
    "planetary-computer": http_urls("ASTRA_PLANETARY_COMPUTER_STAC"),
}
PLANETARY_COMPUTER_TOKENS = http_url("ASTRA_PLANETARY_COMPUTER_TOKENS")
# Access to buckets of scenes (CDSE, or requester-pays at AWS), never to those of results.
SCENE_S3: dict[str, Any] = {
    "access_key": credential("ASTRA_SCENES_S3_ACCESS_KEY_ID"),
    "secret_key": credential("ASTRA_SCENES_S3_SECRET_ACCESS_KEY"),
    "region": matching("ASTRA_SCENES_S3_REGION", _REGION, "a region such as us-west-2", default="us-west-2"),
    "regions": regions("ASTRA_SCENES_S3_REGIONS"),
    "endpoint": host_or_url("ASTRA_SCENES_S3_ENDPOINT"),
    "requester_pays": flag("ASTRA_SCENES_S3_REQUESTER_PAYS", default=False),
}
PRIVATE_HOSTS = hosts("ASTRA_PRIVATE_HOSTS")
MAX_PIXELS = number("ASTRA_MAX_PIXELS", 1.5e9, least=1, most=1e12)
MAX_JOB_BYTES = number("ASTRA_MAX_JOB_BYTES", 20e9, least=1, most=1e15)
PLAN_LIMITS = parsed("ASTRA_PLAN_LIMITS", partial(plan_limits, pixels_per_job=int(MAX_PIXELS)))
DISK_RESERVE = number("ASTRA_DISK_RESERVE", 1e9, least=0, most=1e15)  # bytes
SANDBOX_DIR = DATA_DIR / "sandbox"
# Threads of one job. Jobs share the cores, so this times the worker processes should not exceed them.
THREADS = whole_number("ASTRA_THREADS", os.cpu_count() or 1, least=1, most=256)
# Every reader of GeoTIFFs knows deflate; zstd is as small, and a little faster to write and to read.
COMPRESSION = one_of("ASTRA_COMPRESSION", "deflate", "zstd")

# --- Jobs ----------------------------------------------------------------------------------------------------------

JOB_TIME_LIMIT = whole_number("ASTRA_JOB_TIME_LIMIT", 900, least=1, most=86_400)  # seconds
JOB_ATTEMPTS = whole_number("ASTRA_JOB_ATTEMPTS", 3, least=1, most=20)
# A job that may succeed later waits a random part of this, doubled at every attempt.
RETRY_SECONDS = number("ASTRA_RETRY_SECONDS", 15, least=0.01, most=600)
# After so long without a heartbeat a worker counts as lost, and another worker takes its job.
LEASE_SECONDS = number("ASTRA_LEASE_SECONDS", 20, least=1, most=600)
# A worker that is stopped has so long to end its job. Then the job goes back to the queue.
STOP_GRACE = number("ASTRA_STOP_GRACE", 10, least=0, most=3600)
SWEEP_SECONDS = number("ASTRA_SWEEP_SECONDS", 3, least=0.2, most=300)
EXPIRY_SWEEP_SECONDS = number("ASTRA_EXPIRY_SWEEP_SECONDS", 120, least=0.2, most=3600)
# Seconds between the attempts to deliver a webhook, each longer or shorter by up to a fifth.
WEBHOOK_DELAYS = numbers(
    "ASTRA_WEBHOOK_DELAYS", "5,300,1800,7200,18000,36000,50400,72000,86400", least=0.01, most=7 * 86_400
)
WEBHOOK_PRIVATE_HOSTS = hosts("ASTRA_WEBHOOK_PRIVATE_HOSTS")

# --- Celery --------------------------------------------------------------------------------------------------------

REDIS_URL = redis_url("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("rediss:") and "ssl_cert_reqs=" not in REDIS_URL:
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}  # Celery takes any certificate otherwise
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = JOB_TIME_LIMIT
CELERY_TASK_TIME_LIMIT = JOB_TIME_LIMIT + 30
CELERY_TASK_DEFAULT_QUEUE = "control"
# Each has processes of its own, so that a backlog of rasters or a receiver that hangs holds up nothing else.
CELERY_TASK_ROUTES = {
    "processing.tasks.work": {"queue": "rasters"},
    "processing.tasks.deliver": {"queue": "webhooks"},
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 100
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_500_000  # KiB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = STOP_GRACE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # by default a worker ends after 100
# Without these bounds a submit waits for a broker that is down: for seconds, or forever if it does not even refuse.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 2 * JOB_TIME_LIMIT + 60,
    "socket_timeout": 1 if IS_WEB else 5,
    "socket_connect_timeout": 1 if IS_WEB else 2,
    "socket_keepalive": True,
    "max_retries": 0 if IS_WEB else 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A message that nobody takes before the next one is sent, or within an hour, is dropped."""
    return {"task": task, "schedule": seconds, "options": {"expires": min(max(1, seconds), 3600)}}


CELERY_BEAT_SCHEDULE = {
    "sweep": _every(SWEEP_SECONDS, "processing.tasks.sweep"),
    "clean-up": _every(SWEEP_SECONDS, "processing.tasks.clean_up"),
    "reconcile": _every(86_400, "processing.tasks.reconcile_storage"),
    "usage": _every(60, "accounts.tasks.write_usage"),
    "expire": _every(EXPIRY_SWEEP_SECONDS, "processing.tasks.expire_results"),
}

# --- Watching ------------------------------------------------------------------------------------------------------

LOG_FORMAT = one_of("ASTRA_LOG_FORMAT", *(("lines", "json") if EMBEDDED else ("json", "lines")))
LOGGING = logging_settings(LOG_FORMAT, log_level("ASTRA_LOG_LEVEL"))
