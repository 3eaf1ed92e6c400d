#!/usr/bin/env python3
"""Prints the shell commands of a CI recipe in the order in which the CI system runs them.

    recipe_commands.py RECIPE

A job that runs several times is there several times, with its variables.
"""

import re
import sys

import yaml


def github(recipe):
    for job in recipe["jobs"].values():
        for name, value in job.get("env", {}).items():
            yield f'export {name}="{value}"'
        for step in job["steps"]:
            if "run" in step:
                yield step["run"]


def gitlab(recipe):
    jobs = {name: job for name, job in recipe.items() if isinstance(job, dict)}
    for name, job in jobs.items():
        if name.startswith("."):
            continue
        job = {**jobs.get(job.get("extends"), {}), **job}
        for variable, value in job.get("variables", {}).items():
            yield f'export {variable}="{value}"'
        total = job.get("parallel", 1)
        for index in range(1, total + 1):
            yield f"export CI_NODE_INDEX={index} CI_NODE_TOTAL={total}"
            yield from job.get("before_script", [])
            yield from job["script"]


def kubernetes(documents):
    for job in documents:
        if job["kind"] != "Job":
            continue
        container = job["spec"]["template"]["spec"]["containers"][0]
        added = container.get("securityContext", {}).get("capabilities", {}).get("add", [])
        options = [f"--cap-add {capability}" for capability in added]
        for index in range(job["spec"].get("completions", 1)):
            # The only value that comes from elsewhere is the index.
            values = {v["name"]: v.get("value", str(index)) for v in container.get("env", [])}
            environment = [f"--env {name}={value}" for name, value in values.items()]
            arguments = " ".join(container["args"])
            for name, value in values.items():
                arguments = arguments.replace(f"$({name})", value)
            yield " ".join(
                ["docker run --rm --network none --volume .:/work", *options, *environment]
                + ["sockproof", arguments]
            )


def jenkins(text):
    for found in re.finditer(r"\bsh\b[^'\n]*('''(.*?)'''|'([^'\n]*)')", text, re.DOTALL):
        yield found[2] or found[3]


def commands(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith("Jenkinsfile"):
        return jenkins(text)
    documents = list(yaml.safe_load_all(text))
    if "kind" in documents[0]:
        return kubernetes(documents)
    return github(documents[0]) if "jobs" in documents[0] else gitlab(documents[0])


if __name__ == "__main__":
    for command in commands(sys.argv[1]):
        print(command.rstrip())
