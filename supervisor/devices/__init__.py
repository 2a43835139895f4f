"""Where memory figures come from: NVIDIA GPUs through NVML, and host memory."""
