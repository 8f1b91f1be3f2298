# The roles of a migration and the data-access policy of a Serverless target; nothing else: clusters,
# buckets and networks are there already.

data "aws_partition" "current" {}

locals {
  issuer = try(split("oidc-provider/", var.oidc_provider_arn)[1], "")
  bucket = "arn:${data.aws_partition.current.partition}:s3:::${var.snapshot_bucket}"
}

data "aws_iam_policy_document" "pods" {
  dynamic "statement" {
    for_each = var.oidc_provider_arn == "" ? [] : [var.oidc_provider_arn]

    content {
      actions = ["sts:AssumeRoleWithWebIdentity"]

      principals {
        type        = "Federated"
        identifiers = [statement.value]
      }

      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:sub"
        values   = ["system:serviceaccount:${var.namespace}:${var.service_account}"]
      }

      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:aud"
        values   = ["sts.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.oidc_provider_arn == "" ? ["pods.eks.amazonaws.com"] : []

    content {
      actions = ["sts:AssumeRole", "sts:TagSession"]

      principals {
        type        = "Service"
        identifiers = [statement.value]
      }
    }
  }
}

# What the pods are.
resource "aws_iam_role" "migration" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.pods.json
}

data "aws_iam_policy_document" "migration" {
  statement {
    sid       = "Bucket"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [local.bucket]
  }

  statement {
    sid = "Objects"
    actions = [
      "s3:GetObject",
      "s3:PutObject",
      "s3:DeleteObject",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = ["${local.bucket}/*"]
  }

  # Registering a repository hands the snapshot role to the service.
  statement {
    sid       = "SnapshotRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.snapshot.arn]
  }

  dynamic "statement" {
    for_each = length(var.domain_arns) == 0 ? [] : [var.domain_arns]

    content {
      sid       = "Domains"
      actions   = ["es:ESHttp*"]
      resources = [for arn in statement.value : "${arn}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.collection_arns) == 0 ? [] : [var.collection_arns]

    content {
      sid       = "Collections"
      actions   = ["aoss:APIAccessAll"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = length(var.secret_arns) == 0 ? [] : [var.secret_arns]

    content {
      sid       = "Secrets"
      actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
      resources = statement.value
    }
  }
}

resource "aws_iam_role_policy" "migration" {
  name   = var.name
  role   = aws_iam_role.migration.id
  policy = data.aws_iam_policy_document.migration.json
}

# What a domain is when it writes snapshots (`snapshot register --role-arn`).
data "aws_iam_policy_document" "service" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["es.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "snapshot" {
  name               = "${var.name}-snapshot"
  assume_role_policy = data.aws_iam_policy_document.service.json
}

data "aws_iam_policy_document" "snapshot" {
  statement {
    actions   = ["s3:ListBucket"]
    resources = [local.bucket]
  }

  statement {
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.bucket}/*"]
  }
}

resource "aws_iam_role_policy" "snapshot" {
  name   = "${var.name}-snapshot"
  role   = aws_iam_role.snapshot.id
  policy = data.aws_iam_policy_document.snapshot.json
}

resource "aws_opensearchserverless_access_policy" "migration" {
  count = length(var.collection_names) == 0 ? 0 : 1

  name        = var.name
  type        = "data"
  description = "What a migration does in its targets."

  policy = jsonencode([{
    Principal = [aws_iam_role.migration.arn]
    Rules = [
      {
        ResourceType = "collection"
        Resource     = [for name in var.collection_names : "collection/${name}"]
        Permission   = ["aoss:DescribeCollectionItems", "aoss:CreateCollectionItems", "aoss:UpdateCollectionItems"]
      },
      {
        ResourceType = "index"
        Resource     = [for name in var.collection_names : "index/${name}/*"]
        Permission = [
          "aoss:CreateIndex",
          "aoss:DescribeIndex",
          "aoss:UpdateIndex",
          "aoss:ReadDocument",
          "aoss:WriteDocument",
        ]
      },
    ]
  }])
}
