/** Whether the node has its shards assigned, so that data from before a restart can be searched. */
export async function answersHealthy(node: string): Promise<boolean> {
  try {
    const response = await fetch(`${node}/_cluster/health?wait_for_status=yellow&timeout=1s`, {
      signal: AbortSignal.timeout(5_000),
    });
    return response.ok;
  } catch {
    return false;
  }
}
