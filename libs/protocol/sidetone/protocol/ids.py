"""Distinct types for ids, so that a channel id cannot be passed where a user id is meant.

All but the sender index and the node id are UUIDv7: 16 bytes that sort by time and can be made
anywhere.
"""

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
DeviceId = NewType("DeviceId", UUID)
LoginId = NewType("LoginId", UUID)
PasskeyId = NewType("PasskeyId", UUID)
ServerId = NewType("ServerId", UUID)
ChannelId = NewType("ChannelId", UUID)
# The role of everyone in a server has the server's own id.
RoleId = NewType("RoleId", UUID)
EmojiId = NewType("EmojiId", UUID)
MessageId = NewType("MessageId", UUID)
FileId = NewType("FileId", UUID)
CallId = NewType("CallId", UUID)
# One gateway session, which outlives its socket for a while.
SessionId = NewType("SessionId", UUID)
# One announced fact: who hears it twice knows it by this.
FactId = NewType("FactId", UUID)

WebhookId = NewType("WebhookId", UUID)
# One event on its way to one webhook.
DeliveryId = NewType("DeliveryId", UUID)
CommandId = NewType("CommandId", UUID)
# One use of a slash command.
InvocationId = NewType("InvocationId", UUID)

# A forwarding unit: 63 random bits, drawn at each start of the unit.
NodeId = NewType("NodeId", int)
# A member's place in one voice room: 0 to 65535, given by the forwarding unit at the join.
Sender = NewType("Sender", int)
