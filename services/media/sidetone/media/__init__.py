"""Files that members bring, checked before anybody else sees them, and previews of links."""
