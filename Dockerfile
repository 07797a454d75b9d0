# purge-conformance as a command. It runs as any user without a home, on OpenShift too, and on a read-only root:
# it writes only to /report and /tmp.
#
#   docker build -t purge-conformance:0.1.0 .
#   docker run --rm --read-only --tmpfs /tmp -v "$PWD/report:/report" purge-conformance:0.1.0 run --out /report/run

FROM python:3.13-slim-trixie AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/purge-conformance \
    && /opt/purge-conformance/bin/pip install --no-cache-dir '.[reference,uaa]'

FROM python:3.13-slim-trixie
COPY --from=build /opt/purge-conformance /opt/purge-conformance
ENV PATH=/opt/purge-conformance/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /report
# OpenShift runs a container as some user of group 0.
RUN chgrp 0 /report && chmod g=rwx /report
USER 10001:0
ENTRYPOINT ["purge-conformance"]
CMD ["--help"]
