"""A bucket of an S3 server: folders of files by version, each content once, a version public at once or not.

    blobs/<sha256>            the content of a file; never changes
    <kind>/<version>.json     which files a version of videos, features, models or index holds; never changes
    <kind>/current.json       names the version that readers get; replaced in one request

A publisher uploads blobs, then the list, then the pointer: a reader gets the old version or the new one
whole. What was uploaded before is not uploaded again, so that a stopped push resumes.
"""
