output "role_arn" {
  description = "For the chart's serviceAccount.annotations: eks.amazonaws.com/role-arn."
  value       = aws_iam_role.migration.arn
}

output "snapshot_role_arn" {
  description = "For `snapshot register --role-arn`."
  value       = aws_iam_role.snapshot.arn
}
