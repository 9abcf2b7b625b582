# The app, for docker-compose.yml: the wheel in an environment of its own, run by a plain user.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt overrides.txt README.md LICENSE ./
COPY api api
COPY cypher cypher
COPY examples examples
COPY gnn gnn
COPY ingestion ingestion
COPY kg kg
RUN python -m venv /app \
 && /app/bin/pip install --no-cache-dir uv \
 && /app/bin/uv pip install --python /app/bin/python --no-cache --compile-bytecode \
    --constraint constraints.txt --override overrides.txt . \
 && /app/bin/uv pip uninstall --python /app/bin/python uv

FROM python:3.11-slim
RUN useradd --create-home --uid 1000 personagraph \
 && install -d -m 0700 -o personagraph -g personagraph /workspaces
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PERSONAGRAPH_HOME=/workspaces
USER personagraph
VOLUME /workspaces
ENTRYPOINT ["personagraph"]
CMD ["--help"]
