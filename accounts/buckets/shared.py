"""Buckets in the broker, by its clock: one script, so that no two processes take the same token."""

from functools import lru_cache
from typing import Any

from .rate import Allowance, Rate

# The maths of `local`. Lua's numbers are doubles, exact for microseconds; its own way to print them is not.
_SCRIPT = """
-- KEYS: bucket, usage.  ARGV: microseconds for one, burst, most a day (0: any), key whose use is counted (0: none)
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local day = math.floor(time[1] / 86400)
local refill, burst, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local kept = redis.call('HMGET', KEYS[1], 'full_at', 'day', 'used')
local full_at = math.max(tonumber(kept[1]) or now, now)
local used = tonumber(kept[2]) == day and tonumber(kept[3]) or 0
if full_at - now > burst * refill then full_at = now + burst * refill end  -- the rate was raised

local is_spent = most > 0 and used >= most
local wait = math.max(0, full_at + refill - burst * refill - now)
if is_spent then wait = (day + 1) * 86400000000 - now end
if wait == 0 then
    full_at, used = full_at + refill, used + 1
    redis.call('HSET', KEYS[1], 'full_at', string.format('%.0f', full_at), 'day', day, 'used', used)
    redis.call('EXPIRE', KEYS[1], most > 0 and 172800 or math.ceil((full_at - now) / 1000000))
end
if ARGV[4] ~= '0' then
    redis.call('HINCRBY', KEYS[2], ARGV[4] .. ':' .. day .. ':requests', 1)
    if wait > 0 then redis.call('HINCRBY', KEYS[2], ARGV[4] .. ':' .. day .. ':errors', 1) end
end

local left = most > 0 and most - used or -1
local remaining = math.floor((now + burst * refill - full_at) / refill)
if left >= 0 then remaining = math.min(remaining, left) end
if left == 0 then full_at = math.max(full_at, (day + 1) * 86400000000) end
return {wait, remaining, left, full_at}
"""


def take(server: Any, name: str, rate: Rate, usage: str, key_id: int) -> Allowance:
    """Raises RedisError. The use of the key, if it is not 0, is counted in the hash `usage`."""
    arguments = [rate.refill, rate.burst, rate.per_day, key_id]
    wait, remaining, left, full_at = _script_of(server)(keys=[_place(name), usage], args=arguments)
    return Allowance(wait=wait, remaining=remaining, remaining_today=left, full_at=full_at)


@lru_cache(maxsize=4)  # clients, of which a process has one
def _script_of(server: Any) -> Any:
    return server.register_script(_SCRIPT)


def forget(server: Any, name: str) -> int:
    return int(server.delete(_place(name)))


def _place(name: str) -> str:
    return f"astra:bucket:{name}"
