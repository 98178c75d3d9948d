//! Which function answers which operation.

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::{
    actions, assets, checks, comments, deployments, environments, git_data, issues, objects, people, pulls,
    releases, repository,
};

type Handler = fn(&mut Call<'_>) -> Answer;

pub fn handler(operation: &str) -> Option<Handler> {
    let (room, verb) = operation.split_once('/')?;
    match room {
        "repos" => repos(verb),
        "git" => git(verb),
        "pulls" => of_pulls(verb),
        "issues" => of_issues(verb),
        "actions" => of_actions(verb),
        "checks" => of_checks(verb),
        "users" if verb == "get-authenticated" => Some(people::myself),
        _ => None,
    }
}

fn repos(verb: &str) -> Option<Handler> {
    Some(match verb {
        "get" => repository::get,
        "list-branches" => repository::branches,
        "get-branch" => repository::branch,
        "get-branch-protection" => repository::protection,
        "get-branch-rules" => repository::rules,
        "check-immutable-releases" => repository::immutable,
        "get-commit" => repository::commit,
        "compare-commits-with-basehead" => repository::compare,
        "get-content" => repository::content,
        "list-releases" => releases::list,
        "create-release" => releases::create,
        "get-release" => releases::get,
        "get-release-by-tag" => releases::by_tag,
        "get-latest-release" => releases::latest,
        "generate-release-notes" => releases::notes,
        "update-release" => releases::update,
        "delete-release" => releases::delete,
        "list-release-assets" => assets::list,
        "upload-release-asset" => assets::upload,
        "get-release-asset" => assets::get,
        "update-release-asset" => assets::update,
        "delete-release-asset" => assets::delete,
        "list-pull-requests-associated-with-commit" => pulls::of_commit,
        "list-deployments" => deployments::list,
        "create-deployment" => deployments::create,
        "get-deployment" => deployments::get,
        "delete-deployment" => deployments::delete,
        "list-deployment-statuses" => deployments::statuses,
        "create-deployment-status" => deployments::create_status,
        "get-all-environments" => environments::list,
        "get-environment" => environments::get,
        "get-combined-status-for-ref" => checks::combined,
        "list-commit-statuses-for-ref" => checks::statuses,
        "create-commit-status" => checks::create_status,
        _ => return None,
    })
}

fn git(verb: &str) -> Option<Handler> {
    Some(match verb {
        "get-ref" => git_data::get_ref,
        "list-matching-refs" => git_data::matching_refs,
        "create-ref" => git_data::create_ref,
        "update-ref" => git_data::update_ref,
        "delete-ref" => git_data::delete_ref,
        "create-tag" => objects::create_tag,
        "get-tag" => objects::get_tag,
        "create-blob" => objects::create_blob,
        "get-blob" => objects::get_blob,
        "create-tree" => objects::create_tree,
        "get-tree" => objects::get_tree,
        "create-commit" => objects::create_commit,
        "get-commit" => objects::get_commit,
        _ => return None,
    })
}

fn of_pulls(verb: &str) -> Option<Handler> {
    Some(match verb {
        "list" => pulls::list,
        "create" => pulls::create,
        "get" => pulls::get,
        "update" => pulls::update,
        "merge" => pulls::merge,
        "check-if-merged" => pulls::is_merged,
        "list-files" => pulls::files,
        "list-commits" => pulls::commits,
        _ => return None,
    })
}

fn of_issues(verb: &str) -> Option<Handler> {
    Some(match verb {
        "get" => issues::get,
        "list-for-repo" => issues::list,
        "create" => issues::create,
        "update" => issues::update,
        "list-comments" => comments::list,
        "create-comment" => comments::create,
        "get-comment" => comments::get,
        "update-comment" => comments::update,
        "delete-comment" => comments::delete,
        "list-labels-for-repo" => issues::labels,
        "create-label" => issues::create_label,
        "get-label" => issues::label,
        "list-labels-on-issue" => issues::labels_of,
        "add-labels" => issues::add_labels,
        "set-labels" => issues::set_labels,
        "remove-label" => issues::remove_label,
        _ => return None,
    })
}

fn of_actions(verb: &str) -> Option<Handler> {
    Some(match verb {
        "list-repo-workflows" => actions::workflows,
        "get-workflow" => actions::workflow,
        "create-workflow-dispatch" => actions::dispatch,
        "list-workflow-runs-for-repo" => actions::list,
        "list-workflow-runs" => actions::of_workflow,
        "get-workflow-run" => actions::get,
        "get-workflow-run-attempt" => actions::attempt,
        "list-jobs-for-workflow-run" => actions::jobs,
        "list-jobs-for-workflow-run-attempt" => actions::jobs,
        "cancel-workflow-run" => actions::cancel,
        "re-run-workflow" => actions::rerun,
        "re-run-workflow-failed-jobs" => actions::rerun,
        _ => return None,
    })
}

fn of_checks(verb: &str) -> Option<Handler> {
    Some(match verb {
        "list-for-ref" => checks::list,
        "create" => checks::create,
        _ => return None,
    })
}
