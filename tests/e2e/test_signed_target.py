"""Targets of AWS: every request is signed, and who may not sign is told so."""

import pytest

import signed_target
from support import OK, UNREACHABLE, expected_documents


@pytest.mark.parametrize("service", ["es", "aoss"])
def test_every_request_to_a_domain_is_signed(shardlift, repository, service):
    target = signed_target.SignedTarget(service)
    documents = expected_documents("es-7.10.2", "snap1")["books"]
    result = shardlift("backfill", "--repo-uri", repository("es-7.10.2"), "--snapshot-name", "snap1",
                       "--index-allowlist", "books", "--target-host", target.url,
                       "--target-aws-region", signed_target.REGION,
                       "--target-aws-service-signing-name", service, "--tune-target", "false",
                       env=signed_target.ENVIRONMENT)
    assert result.code == OK, result
    assert target.refused == 0 and target.taken > 1
    assert {name for _, name in target.times} == {document.id for document in documents}


def test_a_wrong_secret_is_named_with_what_to_check(shardlift, repository):
    target = signed_target.SignedTarget("es")
    result = shardlift("backfill", "--repo-uri", repository("es-7.10.2"), "--snapshot-name", "snap1",
                       "--target-host", target.url, "--target-aws-region", signed_target.REGION,
                       env={**signed_target.ENVIRONMENT, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert result.code == UNREACHABLE, result
    assert "the AWS identity of" in result.err and "does not match" in result.err, result
    assert "wrong" not in result.err and target.taken == 0


def test_no_credentials_anywhere_is_told_with_the_places(shardlift, repository, tmp_path):
    target = signed_target.SignedTarget("es")
    result = shardlift("backfill", "--repo-uri", repository("es-7.10.2"), "--snapshot-name", "snap1",
                       "--target-host", target.url, "--target-aws-region", signed_target.REGION,
                       env={"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"})
    assert result.code == UNREACHABLE, result
    assert "credentials" in result.err and target.refused == 0, result
