# denoscope with everything it needs on a processor; the explorer is at port 8765.
#   docker build -t denoscope .
#   docker run --rm -it -v "$PWD/runs:/home/scope/runs" denoscope demo --no-serve
#   docker run --rm -it --network host -v "$PWD/runs:/home/scope/runs" denoscope explore runs/first
FROM python:3.12-slim AS built
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt build hatchling && python -m build --wheel --no-isolation --outdir /wheel

FROM python:3.12-slim
COPY constraints.txt /tmp/constraints.txt
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt "$(grep '^torch==' /tmp/constraints.txt)"
COPY --from=built /wheel /wheel
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt "$(ls /wheel/*.whl)[all]" && rm -r /wheel
RUN useradd --create-home --uid 1000 scope
USER 1000
WORKDIR /home/scope
ENTRYPOINT ["denoscope"]
CMD ["doctor"]
