#!/bin/sh -eu
# Who may do what for the events service and the job on Cloud Run, and the trigger between a bucket and the service.
#   PROJECT=my-project REGION=us-central1 SERVICE=digits BUCKET=requests RESULTS=results MODELS=models infra/gcp/eventarc.sh
# MODELS is the bucket that the model is in; without it, the model is in the image.
# Never run against a live project; the commands are those of the Eventarc and Cloud Run pages.
: "${PROJECT:?}" "${REGION:?}" "${SERVICE:?}" "${BUCKET:?}" "${RESULTS:?}"
number=$(gcloud projects describe "$PROJECT" --format='value(projectNumber)')
events="eas-events@$PROJECT.iam.gserviceaccount.com"
scorer="eas-scorer@$PROJECT.iam.gserviceaccount.com"

gcloud iam service-accounts create eas-events --project="$PROJECT"
gcloud iam service-accounts create eas-scorer --project="$PROJECT"

# The functions read requests, write results, and read the token; nothing else.
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" --member="serviceAccount:$scorer" --role=roles/storage.objectViewer
[ -z "${MODELS:-}" ] ||
  gcloud storage buckets add-iam-policy-binding "gs://$MODELS" --member="serviceAccount:$scorer" --role=roles/storage.objectViewer
gcloud storage buckets add-iam-policy-binding "gs://$RESULTS" --member="serviceAccount:$scorer" --role=roles/storage.objectUser
gcloud secrets add-iam-policy-binding "eas-$SERVICE-token" --project="$PROJECT" \
  --member="serviceAccount:$scorer" --role=roles/secretmanager.secretAccessor

# Cloud Storage tells Pub/Sub, Eventarc takes it from there, and may invoke the events service, which nobody else may.
gcloud projects add-iam-policy-binding "$PROJECT" --role=roles/pubsub.publisher \
  --member="serviceAccount:service-$number@gs-project-accounts.iam.gserviceaccount.com"
gcloud projects add-iam-policy-binding "$PROJECT" --role=roles/eventarc.eventReceiver --member="serviceAccount:$events"
gcloud run services add-iam-policy-binding "$SERVICE-events" --project="$PROJECT" --region="$REGION" \
  --member="serviceAccount:$events" --role=roles/run.invoker
gcloud eventarc triggers create "$SERVICE-objects" --project="$PROJECT" --location="$REGION" \
  --destination-run-service="$SERVICE-events" --destination-run-region="$REGION" \
  --event-filters=type=google.cloud.storage.object.v1.finalized --event-filters="bucket=$BUCKET" \
  --service-account="$events"
