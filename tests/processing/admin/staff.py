"""Members of staff by what they may do, and pages as they see them."""

from django.contrib.auth.models import Group, User
from django.test import Client

JOBS = "/admin/processing/job/"


def member_of(group: str) -> Client:
    """A browser of somebody in this group, logged in."""
    user = User.objects.create_user(group.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer
    return answer.content.decode()
