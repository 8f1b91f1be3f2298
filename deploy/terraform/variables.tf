variable "name" {
  description = "Prefix of what is made."
  type        = string
  default     = "shardlift"
}

variable "oidc_provider_arn" {
  description = "Of the EKS cluster, for IAM roles for service accounts; empty: EKS Pod Identity."
  type        = string
  default     = ""
}

variable "namespace" {
  description = "Of the Helm release."
  type        = string
  default     = "ma"
}

variable "service_account" {
  description = "Of the Helm release."
  type        = string
  default     = "shardlift"
}

variable "snapshot_bucket" {
  description = "The bucket of snapshots, failed documents and tuples."
  type        = string
}

variable "domain_arns" {
  description = "Amazon OpenSearch Service domains, source and target."
  type        = list(string)
  default     = []
}

variable "collection_arns" {
  description = "Amazon OpenSearch Serverless collections that are targets."
  type        = list(string)
  default     = []
}

variable "collection_names" {
  description = "The same by name, for the data-access policy."
  type        = list(string)
  default     = []
}

variable "secret_arns" {
  description = "Secrets of AWS Secrets Manager with credentials of clusters."
  type        = list(string)
  default     = []
}
