"""A loopback stand-in for the Azure Functions host.

Serves a Python v2 function app through Microsoft's `azure-functions-runtime`, by the rules of the real host:
https://github.com/Azure/azure-functions-host and its Event Grid, Storage Queues and Timer extensions.

Left out: scale-out, retry policies, dynamic concurrency, key management over HTTP, Core Tools' hot reload.
"""
