"""What all pages of ours share: charts as inline SVG, and the policy that says what a page may load."""

from .charts import Chart, Part, column_chart
from .content_policy import content_policy

__all__ = ["Chart", "Part", "column_chart", "content_policy"]
