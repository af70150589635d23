"""Keeps the first GPU busy with matrix products until it is killed."""
import torch

a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
while True:
    for _ in range(50):
        b = a @ a
    torch.cuda.synchronize()
