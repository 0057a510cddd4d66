//! `hookgate admin`: tokens of operators.

use hookgate::admin::operators::{line_of, token};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

use super::{Failure, random};

const HELP: &str = "\
hookgate admin, who may use /admin (docs/operators.md)

  hookgate admin token NAME [--role read|operate] [--tenants TENANTS]
      Makes a token for an operator of that name. Standard output has two lines: the token, for him alone,
      and the line for the Worker's secret ADMINS, which has its hash. The token is kept nowhere.
        --role read|operate  whether he may only look (default), or change something as well
        --tenants TENANTS    whose things he sees: * (default) for all, or names with commas; _ is what was
                             sent to no source
";

pub fn command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    match arguments.next()? {
        Some(Value(command)) if command == "token" => make(arguments),
        None | Some(Long("help") | Short('h')) => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

fn make(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let (mut name, mut role, mut tenants) = (None, "read".to_owned(), "*".to_owned());
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Long("role") => role = arguments.value()?.string()?,
            Long("tenants") => tenants = arguments.value()?.string()?,
            Value(text) if name.is_none() => name = Some(text.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let name = name.ok_or_else(|| Failure::Usage("whose token? Give a NAME".to_owned()))?;
    let token = token(random()?);
    let line = line_of(&name, &role, &tenants, &token).ok_or_else(|| {
        Failure::Usage(
            "NAME has letters, digits and -_.@, --role is read or operate, --tenants is * or names as in \
             sources.toml with commas, without spaces"
                .to_owned(),
        )
    })?;
    println!("{token}\n{line}");
    Ok(())
}
