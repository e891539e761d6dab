variable "release" {
  type        = string
  description = "The folder that `make release` wrote: the zip and the templates."

  validation {
    condition     = fileexists("${var.release}/loopbreaker-alert.template.json")
    error_message = "The release is a folder that `make release` wrote; this one has no loopbreaker-alert.template.json."
  }
}

variable "bucket" {
  type        = string
  description = "A bucket in the Region of the stack, for the zip and the template."
}

variable "prefix" {
  type        = string
  description = "What their keys begin with."
  default     = "loopbreaker/"
}

variable "stack_name" {
  type    = string
  default = "Loopbreaker"
}

variable "action" {
  type        = string
  description = "The most that may be done to a service."
  default     = "alert"

  validation {
    condition     = contains(["alert", "rollback", "stop"], var.action)
    error_message = "The action is alert, rollback or stop."
  }
}

variable "mail" {
  type        = string
  description = "A mail address that is told; empty for none."
  default     = ""
}

variable "hub" {
  type        = string
  description = "ARN of the event bus of a hub that is told all that this stack tells; empty for none."
  default     = ""
}

variable "act_on" {
  type        = list(string)
  description = "Patterns of cluster/service on which the stack may act; none means all."
  default     = []
}

variable "never_act_on" {
  type        = list(string)
  description = "Patterns of cluster/service on which it never acts."
  default     = []
}

variable "policy" {
  type        = map(string)
  description = "Thresholds that are not as by default, such as { \"fast.depth\" = 4 }."
  default     = {}
}

variable "log_retention_days" {
  type    = number
  default = 30
}
