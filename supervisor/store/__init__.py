"""SQLite: schema, migrations, queries; and the state directory around it."""
