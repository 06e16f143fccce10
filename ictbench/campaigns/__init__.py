"""Campaigns: a matrix of reflectors, actors, suites and sizes, played as ordinary runs under common limits."""

from ictbench.campaigns.campaign_api import Campaign, campaign, dry_run, load_campaign
from ictbench.campaigns.check_campaign import CampaignCheck, check_campaign

__all__ = ["Campaign", "CampaignCheck", "campaign", "check_campaign", "dry_run", "load_campaign"]
