"""How ECS behaves: its scheduler, tasks on their way up and down, deployments, the throttle."""
