"""The questions that presence answers for the other services."""

from sidetone.bus import Bus
from sidetone.presence.application.describe_people import DescribePeople
from sidetone.protocol.ids import UserId
from sidetone.protocol.questions import Contact, MayContact, People, PeopleOf, PresencesOf
from sidetone.protocol.social import Presence


async def answer_questions(bus: Bus, describe: DescribePeople) -> None:
    """Register every answer."""

    async def people_of(question: PeopleOf) -> People:
        return await describe.people_of(question.user)

    async def presences_of(question: PresencesOf) -> list[Presence]:
        return await describe.presences_of(question.users)

    async def may_contact(question: MayContact) -> dict[UserId, Contact]:
        return await describe.may_contact(question.user, question.others)

    await bus.answer(PeopleOf, people_of)
    await bus.answer(PresencesOf, presences_of)
    await bus.answer(MayContact, may_contact)
